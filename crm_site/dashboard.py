"""Figures of the landing page."""

from typing import Any

from django.http import HttpRequest


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context
