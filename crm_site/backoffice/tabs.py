"""Tabs of a page that fetch their contents when first looked at."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString


class LazyTab:
    """A tab beside the form, listed in an admin's ``lazy_tabs``. Costs nothing until it is opened.

    Subclasses give ``name`` (for the address), ``title``, ``template_name`` (a fragment, not a
    page) and ``get_context``. For a further page of the same tab the fragment may ask its own
    address again with parameters: ``{{ tab.url }}?before=…``.
    """

    name: str
    title: str
    template_name: str
    tab = True

    def __init__(self, model_admin: Any, obj: Model) -> None:
        self.model_admin = model_admin
        self.obj = obj

    def is_visible(self, request: HttpRequest) -> bool:
        """Whether this user sees the tab at all. Asked again when it is fetched."""
        return True

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def render(self, request: HttpRequest) -> HttpResponse:
        context = {"tab": self, "object": self.obj, **self.get_context(request)}
        return HttpResponse(render_to_string(self.template_name, context, request=request))

    @property
    def model_name(self) -> str:
        """What the theme calls the tab: ``#dataset-<name>`` opens it."""
        return self.name

    @property
    def url(self) -> str:
        opts = self.model_admin.model._meta
        return reverse(
            f"admin:{opts.app_label}_{opts.model_name}_tab", args=[self.obj.pk, self.name]
        )

    @property
    def contents(self) -> SafeString:
        return render_to_string("admin/lazy_tab.html", {"tab": self})
