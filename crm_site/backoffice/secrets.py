"""Showing what is shown only once."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show_once(
    request: HttpRequest,
    site: Any,
    *,
    title: str,
    text: str,
    secrets: dict[str, str],
    next_url: str,
) -> HttpResponse:
    """A page with values that are kept nowhere in the clear; no browser may store it either."""
    context = {
        **site.each_context(request),
        "title": title,
        "text": text,
        "secrets": secrets,
        "next_url": next_url,
    }
    response = render(request, "admin/show_once.html", context)
    response["Cache-Control"] = "no-store"
    return response


def show_once_in_dialog(
    request: HttpRequest, *, title: str, text: str, secrets: dict[str, str]
) -> HttpResponse:
    """The same in the place of the dialog that asked for it."""
    context = {"title": title, "text": text, "secrets": secrets}
    response = render(request, "admin/show_once_dialog.html", context)
    response["Cache-Control"] = "no-store"
    # The theme's dialog swaps only its fields; this replaces the whole of it, button included.
    response["HX-Retarget"] = "#dialog"
    response["HX-Reselect"] = "#dialog"
    response["HX-Reswap"] = "outerHTML"
    return response
