"""Lists whose columns a person chooses, and views of them to find again.

A view is opened by ``?view=<id>`` beside its own filters, so that its address can be passed on and
whoever narrows it further keeps its columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from unfold.views import ChangeList

from crm_site.backoffice.actions import DialogForm, dialog_action, go_to
from crm_site.backoffice.models import LONGEST_QUERY, ListColumns, SavedView
from crm_site.backoffice.options import TenantModelAdmin
from crm_site.backoffice.widgets import Checkbox, CheckboxSelectMultiple, TextInput
from crm_site.errors import DomainError

VIEW_VAR = "view"
NOT_PART_OF_A_VIEW = (VIEW_VAR, "p", "e", "all", "_popup", "_to_field")


class SavedListError(DomainError):
    """A view cannot be kept like this."""


@dataclass(frozen=True)
class Preference:
    """What one request's list looks like: the view it shows, if any, and the columns' names."""

    view: SavedView | None
    columns: tuple[str, ...]


class _ViewChangeList(ChangeList):
    def get_filters_params(self, params: Any = None) -> Any:
        narrowed_by = super().get_filters_params(params)
        narrowed_by.pop(VIEW_VAR, None)  # Which view it is narrows nothing.
        return narrowed_by


class ColumnsForm(DialogForm):
    columns = forms.MultipleChoiceField(
        widget=CheckboxSelectMultiple, required=False, help_text="Only you see them like this."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_admin = admin_of_dialog(self.request)
        field: Any = self.fields["columns"]
        field.choices = model_admin.column_choices()
        field.initial = model_admin.list_preference(shown_list(self.request)).columns


class SaveViewForm(DialogForm):
    name = forms.CharField(
        max_length=80,
        widget=TextInput(attrs={"autofocus": True}),
        help_text="“Gold members to call”. A name you have used already is replaced.",
    )
    is_shared = forms.BooleanField(
        label="Everybody at the club sees it", required=False, widget=Checkbox
    )


class SavedListAdmin(TenantModelAdmin):
    """A list with columns to choose (``optional_columns`` beside ``list_display``) and views.

    The first ``fixed_columns`` always show. Columns appear in the order in which they are named.
    """

    fixed_columns: ClassVar[int] = 1
    optional_columns: ClassVar[tuple[str, ...]] = ()
    list_before_template = "admin/saved_views.html"
    actions_list: tuple[str, ...] = ("choose_columns", "save_view")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _ViewChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        columns, chosen = self._all_columns, self.list_preference(request).columns
        others = columns[self.fixed_columns :]
        return (*columns[: self.fixed_columns], *(name for name in others if name in chosen))

    def column_choices(self) -> list[tuple[str, str]]:
        """Columns that may be left out, with what stands above them."""
        return [(name, self._heading(name)) for name in self._all_columns[self.fixed_columns :]]

    def list_preference(self, request: HttpRequest) -> Preference:
        """The view that the address names, if this user may see it, and the columns it shows."""
        kept = getattr(request, "list_preference", None)
        if kept is None:
            kept = request.list_preference = self._read_preference(request)  # type: ignore[attr-defined]
        return kept

    @property
    def _list_name(self) -> str:
        return str(self.opts.label_lower)

    @property
    def _all_columns(self) -> tuple[str, ...]:
        return (*self.list_display, *self.optional_columns)

    def _heading(self, name: str) -> str:
        method = getattr(self, name, None)
        if method is not None:
            return str(method.short_description)
        return str(self.opts.get_field(name).verbose_name).capitalize()

    def _read_preference(self, request: HttpRequest) -> Preference:
        offered = SavedView.objects.offered_to(_user_id(request), self._list_name)
        view_id = _uuid(request.GET.get(VIEW_VAR, ""))
        view = offered.filter(pk=view_id).first() if view_id else None
        if view is not None:
            return Preference(view, tuple(view.columns))
        own = ListColumns.objects.filter(
            user_id=_user_id(request), list_name=self._list_name
        ).first()
        return Preference(None, tuple(own.columns if own else self.list_display))

    # The bar above the list

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = self.list_preference(request).view
        context = {
            "saved_views": list(self._chips(request)),
            "saved_view": view,
            "is_own_view": view is not None and view.owner_id == request.user.pk,
            "is_view_changed": view is not None and _query_of(request.GET) != view.query,
            "list_url": self._list_url(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _chips(self, request: HttpRequest) -> Iterator[dict[str, Any]]:
        current = self.list_preference(request).view
        for view in SavedView.objects.offered_to(_user_id(request), self._list_name):
            yield {
                "name": view.name,
                "url": self._url_of(view),
                "is_current": current is not None and view.pk == current.pk,
                "is_shared": view.is_shared,
            }

    def _url_of(self, view: SavedView) -> str:
        query = f"{view.query}&" if view.query else ""
        return f"{self._list_url()}?{query}{VIEW_VAR}={view.pk}"

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    # What one can do

    @dialog_action(
        title="Choose columns",
        label="Columns",
        submit="Show these",
        form=ColumnsForm,
        icon="view_column",
        permissions=["view"],
    )
    def choose_columns(self, request: HttpRequest, form: ColumnsForm, obj: Any) -> HttpResponse:
        ListColumns.objects.update_or_create(
            user_id=_user_id(request),
            list_name=self._list_name,
            defaults={"columns": form.cleaned_data["columns"]},
        )
        query = _query_of(shown_list(request).GET)
        return go_to(f"{self._list_url()}?{query}" if query else self._list_url())

    @dialog_action(
        title="Save this view",
        label="Save view",
        text="What the list is narrowed to, its order and its columns, to find again above it.",
        submit="Save view",
        form=SaveViewForm,
        icon="bookmark_add",
        permissions=["view"],
    )
    def save_view(self, request: HttpRequest, form: SaveViewForm, obj: Any) -> HttpResponse:
        shown = shown_list(request)
        query = _query_of(shown.GET)
        if len(query) > LONGEST_QUERY:
            raise SavedListError("This list is narrowed by too much to be kept.")
        is_shared = form.cleaned_data["is_shared"]
        if is_shared and not self.has_change_permission(request):
            raise SavedListError("Your role keeps views for itself.", path="is_shared")
        view, _ = SavedView.objects.update_or_create(
            list_name=self._list_name,
            owner_id=_user_id(request),
            name=form.cleaned_data["name"].strip(),
            defaults={
                "query": query,
                "is_shared": is_shared,
                "columns": list(self.list_preference(shown).columns),
            },
        )
        messages.success(request, f"“{view.name}” is kept above the list.")
        return go_to(self._url_of(view))

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_forget_view"
        view = self.admin_site.admin_view(self.forget_view)
        return [path("views/<uuid:pk>/forget/", view, name=name), *super().get_urls()]

    def forget_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: take away a view of one's own."""
        if request.method != "POST":
            raise PermissionDenied
        mine = SavedView.objects.filter(
            owner_id=_user_id(request), list_name=self._list_name, pk=pk
        )
        if not mine.delete()[0]:
            raise Http404
        return HttpResponseRedirect(self._list_url())


def list_query(request: HttpRequest) -> QueryDict:
    """The query of the list that a dialog was opened on, as the browser tells its address."""
    return QueryDict(urlsplit(request.headers.get("HX-Current-URL", "")).query)


def shown_list(request: HttpRequest) -> HttpRequest:
    """The request of the list that a dialog was opened on."""
    shown = HttpRequest()
    shown.__dict__.update(request.__dict__)
    shown.__dict__.pop("list_preference", None)
    shown.method = "GET"
    shown.GET = list_query(request)  # type: ignore[assignment]
    return shown


def _query_of(given: QueryDict) -> str:
    """What of an address makes a view."""
    kept = given.copy()
    for name in NOT_PART_OF_A_VIEW:
        kept.pop(name, None)
    return kept.urlencode()


def admin_of_dialog(request: HttpRequest) -> Any:
    """The admin whose dialog a form stands in."""
    asked = request.resolver_match.url_name if request.resolver_match else ""
    for model, registered in admin.site._registry.items():
        if asked and asked.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return registered
    raise Http404


def _user_id(request: HttpRequest) -> int:
    """Of somebody signed in, as everybody in the admin is."""
    return int(request.user.pk or 0)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
