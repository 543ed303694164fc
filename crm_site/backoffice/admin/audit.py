"""The audit log: who changed what, when, and from where."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.core.validators import EMPTY_VALUES
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm_site.access.models import User
from crm_site.audit.models import CrmAuditLog
from crm_site.backoffice import filters
from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.options import ReadOnlyTenantAdmin, display
from crm_site.backoffice.people import names_of
from crm_site.db.names import camel_case
from crm_site.tenancy.base import TenantModel

SHOWN_CHANGES = 2
LONGEST_VALUE = 160
# Told first: what a row is called. Told last: what only the machine reads.
NAMES = ("name", "title", "email", "firstName", "lastName", "displayName", "content")
COLOURS = {"CREATE": "success", "DELETE": "danger", "ERASE": "danger", "UPDATE": "info"}


class EntityFilter(filters.DropdownFilter):
    title = "kind"
    parameter_name = "entity_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        audited = [m for m in admin.site._registry if getattr(m._meta, "triggers", None)]
        names = {m._meta.object_name or "": str(m._meta.verbose_name).capitalize() for m in audited}
        return sorted(names.items(), key=lambda item: item[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value in EMPTY_VALUES else queryset.filter(entity_type=value)


class ActionFilter(filters.DropdownFilter):
    title = "act"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = ("CREATE", "UPDATE", "DELETE", "MERGE", "UNMERGE", "ERASE", "EXPORT", "IMPORT",
                 "START", "PAUSE", "RESUME", "CANCEL", "REPLAY")  # fmt: skip
        return [(name, name.capitalize()) for name in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value in EMPTY_VALUES else queryset.filter(action=value)


class ActorFilter(filters.TextFilter):
    title = "e-mail address of who did it"
    parameter_name = "who"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value in EMPTY_VALUES:
            return queryset
        return queryset.filter(performed_by__in=_actors_like(str(value)))


def _actors_like(text: str) -> list[str]:
    users = User.objects.filter(email__istartswith=text.strip())[:50]
    return [f"user:{user.pk}" for user in users]


class WhenFilter(filters.RangeDateTimeFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


@admin.register(CrmAuditLog)
class CrmAuditLogAdmin(ReadOnlyTenantAdmin):
    list_display = ("when", "who", "what", "entity", "changed")
    list_display_links = ("when",)
    list_filter = (
        EntityFilter,
        ActionFilter,
        ActorFilter,
        ("performed_at", WhenFilter),
    )
    ordering = ("-performed_at", "-id")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("act", "entity", "who", "performed", "all_changes", "more")}),
        ("Where from", {"fields": ("ip_address", "user_agent")}),
    )
    readonly_fields = ("act", "entity", "who", "performed", "all_changes", "more")
    empty_title = "Nothing has been changed yet"
    empty_text = "Every change by staff, programs and Fairway itself appears here by itself."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        entity_id = request.GET.get("entity_id")
        return rows.filter(entity_id=entity_id) if entity_id else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "entity_id" or super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        names = names_of(row.performed_by for row in rows)
        known = names_in(rows)
        for row in rows:
            row.actor_name = names.get(row.performed_by, row.performed_by)
            row.names = known
        changelist.result_list = rows
        return changelist

    @display(description="When")
    def when(self, entry: CrmAuditLog) -> str:
        return ago(entry.performed_at)

    @display(description="When")
    def performed(self, entry: CrmAuditLog) -> str:
        return exactly(entry.performed_at)

    @display(description="Who")
    def who(self, entry: CrmAuditLog) -> str:
        known = getattr(entry, "actor_name", None)
        return known or names_of([entry.performed_by])[entry.performed_by]

    @display(description="Did", label=COLOURS)
    def what(self, entry: CrmAuditLog) -> tuple[str, str]:
        return entry.action, entry.action.replace("_", " ").capitalize()

    @display(description="Did")
    def act(self, entry: CrmAuditLog) -> str:
        return self.what(entry)[1]

    @display(description="To")
    def entity(self, entry: CrmAuditLog) -> str:
        model = _model(entry.entity_type)
        name = str(model._meta.verbose_name).capitalize() if model else entry.entity_type
        known = getattr(entry, "names", None)
        called = (names_in([entry]) if known is None else known).get(entry.entity_id)
        name = f"{name} “{called}”" if called else name
        url = _page_of(model, entry.entity_id)
        if url is None or entry.action == "DELETE":
            return name
        return format_html('<a class="crm-link" href="{}">{}</a>', url, name)

    @display(description="Changes")
    def changed(self, entry: CrmAuditLog) -> str:
        return _as_lines(entry, limit=SHOWN_CHANGES)

    @display(description="Changes")
    def all_changes(self, entry: CrmAuditLog) -> str:
        return _as_lines(entry, limit=None)

    @display(description="More")
    def more(self, entry: CrmAuditLog) -> str:
        if not entry.metadata:
            return "–"
        pretty = json.dumps(entry.metadata, indent=2, ensure_ascii=False)
        return format_html('<pre class="crm-json">{}</pre>', pretty)


def names_in(entries: Iterable[CrmAuditLog]) -> dict[str, str]:
    """What the rows that ``entries`` speak of are called, by id: a query a kind, not a row."""
    wanted: dict[Any, set[str]] = defaultdict(set)
    for entry in entries:
        model = _model(entry.entity_type)
        if model is None:
            continue
        wanted[model].add(entry.entity_id)
        for field in model._meta.concrete_fields:
            change = (entry.changes or {}).get(camel_case(field.attname))
            if field.related_model and isinstance(change, dict):
                wanted[field.related_model] |= {each for each in change.values() if each}
    found: dict[str, str] = {}
    for model, ids in wanted.items():
        if issubclass(model, TenantModel) and hasattr(model, "name"):
            rows = model.objects.filter(pk__in=[pk for pk in ids if _is_uuid(pk)])
            found |= {str(row.pk): row.name for row in rows}
    return found


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _model(object_name: str) -> Any:
    return next((m for m in apps.get_models() if m._meta.object_name == object_name), None)


def _page_of(model: Any, pk: str) -> str | None:
    if model is None:
        return None
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return None


def _as_lines(entry: CrmAuditLog, limit: int | None) -> SafeString:
    """Each change as "field: old → new"; of a new or removed row only what was filled."""
    known = getattr(entry, "names", None)
    called = names_in([entry]) if known is None else known
    lines = []
    for name, change in sorted((entry.changes or {}).items(), key=_telling_first):
        old, new = (_said(_called(change.get(side), called)) for side in ("old", "new"))
        if old or new:
            lines.append({"field": _words(name.removesuffix("Id")), "old": old, "new": new})
    context = {
        "lines": lines[:limit],
        "rest": max(0, len(lines) - limit) if limit else 0,
        "is_create": entry.action == "CREATE",
    }
    return render_to_string("admin/audit_changes.html", context)


def _called(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


def _telling_first(item: tuple[str, Any]) -> tuple[bool, bool, str]:
    name, _ = item
    return name not in NAMES, name.endswith(("Id", "By", "At")) or name.startswith("is"), name


def _words(name: str) -> str:
    """``membershipTier`` as "membership tier"."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _said(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
