"""Where a figure leads: None for a page that is not there."""

from django.urls import NoReverseMatch, reverse


def list_link(name: str, query: str = "", page: str = "changelist") -> str | None:
    try:
        url = reverse(f"admin:{name}_{page}")
    except NoReverseMatch:
        return None
    return f"{url}?{query}" if query else url


def page_link(name: str, pk: object) -> str | None:
    try:
        return reverse(f"admin:{name}_change", args=[pk])
    except NoReverseMatch:
        return None
