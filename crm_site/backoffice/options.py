"""What every screen of the admin is built on. Apps import the theme through here and beside here.

``TenantModelAdmin`` closes the doors through which Django's admin would read past the tenant in
scope (it uses the default manager), and keeps lists fast on a million rows.
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Field, Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold import admin as theme

from crm_site.access.services import limit_to_grants, visible_club_ids
from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import ActionVariant, DialogForm, action, dialog_action, display
from crm_site.backoffice.checks import ModelAdminChecks
from crm_site.backoffice.paginators import EstimatePaginator, InfinitePaginator
from crm_site.backoffice.tabs import LazyTab
from crm_site.errors import DomainError
from crm_site.tenancy.base import TenantModel
from crm_site.tenancy.models import Club

__all__ = [
    "ActionVariant",
    "DialogForm",
    "EstimatePaginator",
    "InfinitePaginator",
    "LazyTab",
    "PlainModelAdmin",
    "ReadOnlyTenantAdmin",
    "TenantModelAdmin",
    "TenantStackedInline",
    "TenantTabularInline",
    "action",
    "dialog_action",
    "display",
]


class _ScopedRows:
    """Rows, and rows related to them, of the tenant in scope and the clubs the user may see."""

    model: type[Model]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = scoped(self.model, request)
        ordering = self.get_ordering(request)  # type: ignore[attr-defined]
        return rows.order_by(*ordering) if ordering else rows

    def get_field_queryset(
        self, db: str | None, db_field: Field, request: HttpRequest
    ) -> QuerySet[Any] | None:
        related = db_field.remote_field.model  # type: ignore[union-attr]
        registered = admin.site._registry.get(related)
        if registered is not None and issubclass(related, TenantModel):
            return registered.get_queryset(request)
        return scoped(related, request)


def scoped(model: type[Model], request: HttpRequest) -> QuerySet[Any]:
    """The rows of ``model`` that this request may see at all."""
    if not issubclass(model, TenantModel):
        return model._default_manager.all()
    rows = limit_to_grants(model.objects.all(), request.user)
    club_ids = visible_club_ids(request.user) if model is Club else None  # type: ignore[arg-type]
    return rows if club_ids is None else rows.filter(pk__in=club_ids)


class PlainModelAdmin(theme.ModelAdmin):
    """Lists that stay fast, no deleting by accident, refusals shown where the user is.

    For the few tables without a tenant; everything else uses ``TenantModelAdmin``.
    """

    checks_class = ModelAdminChecks
    paginator = EstimatePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True
    allows_delete: ClassVar[bool] = False
    lazy_tabs: ClassVar[tuple[type[LazyTab], ...]] = ()
    # What the list says when there is nothing yet: what this is for, and what to do first.
    empty_title: ClassVar[str] = ""
    empty_text: ClassVar[str] = ""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows_delete and super().has_delete_permission(request, _row(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, _row(obj))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, _row(obj))

    def require(
        self, request: HttpRequest, permissions: tuple[str, ...], obj: Model | None = None
    ) -> None:
        """Raise PermissionDenied unless the user has each permission, asked about ``obj``."""
        for name in permissions:
            if "." in name:
                allowed = request.user.has_perm(name)
            elif obj is not None:
                allowed = getattr(self, f"has_{name}_permission")(request, obj)
            else:
                allowed = getattr(self, f"has_{name}_permission")(request)
            if not allowed:
                raise PermissionDenied

    def get_object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row as this admin's own queryset has it; 404 for one elsewhere."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        return obj

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        raise Http404  # Instead of a redirect home with a message that repeats the id.

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = Actor.from_request(request)
        if not change and hasattr(obj, "created_by") and not obj.created_by:
            obj.created_by = actor.id
        if hasattr(obj, "updated_by"):
            obj.updated_by = actor.id
        super().save_model(request, obj, form, change)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            # Once more, with the refusal as the form's own error: nothing typed is lost.
            request.refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return _refusing(form, refusal) if refusal else form

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        try:
            with transaction.atomic():
                return super().response_action(request, queryset)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())

    # The audit log, kept by the database, says who changed what; Django's own log has no tenant.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object_or_404(request, object_id)
        name = self.model._meta.object_name
        url = reverse("admin:audit_crmauditlog_changelist")
        return HttpResponseRedirect(f"{url}?entity_type={name}&entity_id={obj.pk}")

    # Lazy tabs

    def get_urls(self) -> list[URLPattern]:
        opts = self.model._meta
        tab = path(
            "<path:object_id>/tab/<slug:name>/",
            self.admin_site.admin_view(self.tab_view),
            name=f"{opts.app_label}_{opts.model_name}_tab",
        )
        return [tab, *super().get_urls()] if self.lazy_tabs else super().get_urls()

    def tab_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        obj = self.get_object_or_404(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        for tab in self._tabs(request, obj):
            if tab.name == name:
                return tab.render(request)
        raise Http404

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        # The theme's own datasets are computed on every page, seen or not, and share state.
        context["datasets"] = self._tabs(request, obj) if obj is not None else []
        return super().render_change_form(request, context, *args, **kwargs)

    def _tabs(self, request: HttpRequest, obj: Model) -> list[LazyTab]:
        tabs = [tab(self, obj) for tab in self.lazy_tabs]
        return [tab for tab in tabs if tab.is_visible(request)]


class TenantModelAdmin(_ScopedRows, PlainModelAdmin):
    """The screens of a table that belongs to a tenant. Another tenant's ids are 404."""


class ReadOnlyTenantAdmin(TenantModelAdmin):
    """The screens of a log: looked at, never edited. Pages follow each other without a count."""

    paginator = InfinitePaginator
    list_disable_select_all = True
    warn_unsaved_form = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TenantTabularInline(_ScopedRows, theme.TabularInline):
    """Rows of a child table beside their parent. Not for tables that grow without end."""

    extra = 0
    tab = True


class TenantStackedInline(_ScopedRows, theme.StackedInline):
    extra = 0
    tab = True


def _row(obj: Any) -> Model | None:
    # The theme asks its actions' rules with an id where Django passes the object.
    return None if isinstance(obj, str) else obj


def _refusing(form: type[ModelForm], error: DomainError) -> type[ModelForm]:
    """``form`` with a service's refusal among its errors."""

    class Refused(form):  # type: ignore[valid-type,misc]
        def full_clean(self) -> None:
            super().full_clean()
            if self.is_bound:
                self.add_error(error.path if error.path in self.fields else None, error.message)

    return Refused
