"""The customer list and the customer page."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Func, IntegerField, QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from crm_site.audit.actor import Actor
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.filters import ChoicesCheckboxFilter, RangeNumericFilter
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import dialog_action, display
from crm_site.backoffice.saved_lists import SavedListAdmin
from crm_site.backoffice.shell import current_tenant
from crm_site.errors import DomainError
from customers.admin import filters, notes_panel
from customers.admin.desk import DeskActions
from customers.admin.forms import CustomerForm, TagForm
from customers.admin.list_columns import ListColumns
from customers.admin.owners import badges
from customers.admin.page import header_of, last_merge_into
from customers.admin.privacy import PrivacyDialogs
from customers.admin.timeline import timeline_of
from customers.models import CustomerProfile
from customers.services.facts import FactError
from customers.services.ownership import EXCLUSIVE, OWNER
from customers.services.profiles import (
    create_profile,
    delete_profile,
    restore_profile,
    update_profile,
)
from customers.services.search import search_customers
from customers.services.unmerging import unmerge_profiles

LINK_FIELDS = {"scl": "scl_member_id", "teetime": "teetime_player_id"}
NEVER_WRITTEN_HERE = (
    *("auth_user_id", "scl_member_id", "teetime_player_id", "messaging_contact_id"),
    *("engagement", "churn_risk", "seen", "booked", "consents", "known_since", "record_id"),
)
PERSON = (
    *(("first_name", "last_name"), "display_name", ("date_of_birth", "gender")),
    *("lifecycle_stage", "tags"),
)
CONTACT = (
    *(("email", "phone_number"), ("address_line1", "address_line2"), ("city", "state")),
    *(("postal_code", "country"), "time_zone"),
)
TAKES_AWAY = {"hide", "restore", "erase"}
# Under the head of a tab whose fields a member has from SCL.
WRONG = "Is something wrong? Choose “Request a correction” under Actions."
KEPT_BY_SCL = f"What SCL, the membership service, keeps cannot be typed in here. {WRONG}"


@admin.register(CustomerProfile)
class CustomerProfileAdmin(DeskActions, PrivacyDialogs, ListColumns, SavedListAdmin):
    """Everything here reads through ``search`` and indexes, so that a million rows stay fast."""

    form = CustomerForm
    empty_title = "No customers yet"
    empty_text = (
        "People appear here by themselves as SCL and TeeTime send events. You can also add "
        "somebody by hand."
    )

    # The list
    list_display = (
        *("box", "person", "stage", "membership_tier", "handicap", "seen", "booked"),
        *("consents", "labels"),
    )
    fixed_columns = 2
    optional_columns = (
        *("mailbox", "phone", "scl_member_id", "membership_status", "membership_expiry"),
        *("city", "home_club_name", "engaged", "at_risk", "spent", "bookings", "known"),
    )
    list_display_links = ("person",)
    list_filter = (
        ("lifecycle_stage", ChoicesCheckboxFilter),
        filters.StatusFilter,
        filters.TierFilter,
        filters.TagFilter,
        filters.ConsentFilter,
        filters.SeenFilter,
        filters.FirstSeenFilter,
        filters.ImportFilter,
        ("engagement_score", RangeNumericFilter),
        ("churn_risk_score", RangeNumericFilter),
    )
    sortable_by = ("seen", "known")
    ordering = (F("last_activity_at").desc(nulls_last=True), "-pk")
    search_fields = ("email",)  # Shows the box; get_search_results asks the search index.
    search_help_text = "Name, e-mail, phone or member number"
    actions = None
    actions_on_top = False
    list_disable_select_all = True
    actions_list = ("tag_many", "merge_two", "export_list", "choose_columns", "save_view")

    # The page
    change_form_template = "admin/customers/customerprofile/change_form.html"
    actions_detail = (
        *("write_note", "add_tag", "request_correction", "merge_with", "undo_merge"),
        *("export_person", "hide", "restore", "erase"),
    )
    # Nobody does these to somebody who was deleted or merged away.
    only_live: ClassVar[frozenset[str]] = frozenset(
        {"write_note", "add_tag", "request_correction", "merge_with", "hide"}
    )
    fieldsets = (
        ("Person", {"classes": ["tab"], "fields": PERSON}),
        (
            "Contact",
            {
                "classes": ["tab"],
                "fields": CONTACT,
            },
        ),
        (
            "Membership",
            {
                "classes": ["tab"],
                "description": f"Kept by SCL, the membership service. {WRONG}",
                "fields": (
                    *("scl_member_id", "membership_tier", "membership_status"),
                    *("member_since", "membership_expiry"),
                ),
            },
        ),
        (
            "Golf",
            {
                "classes": ["tab"],
                "description": f"Kept by TeeTime, the booking service. {WRONG}",
                "fields": ("handicap", "handicap_provider", "home_club_name", "booked"),
            },
        ),
        (
            "Consent",
            {
                "classes": ["tab"],
                "description": "Kept by Messaging: people say yes and no there, and it tells us.",
                "fields": ("consents",),
            },
        ),
        (
            "Record",
            {
                "classes": ["tab"],
                "fields": (
                    *("engagement", "churn_risk", "seen", "known_since", "auth_user_id"),
                    *("teetime_player_id", "messaging_contact_id", "record_id"),
                ),
            },
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    *(("first_name", "last_name"), ("email", "phone_number")),
                    *(("date_of_birth", "gender"), ("city", "postal_code")),
                    *("lifecycle_stage", "tags"),
                )
            },
        ),
    )

    class Media:
        css = {"all": ["customers/customers.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenant = current_tenant(request)
        rows = super().get_queryset(request).defer("search_vector")
        return rows.annotate(currency=Value(tenant.currency if tenant else ""))

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*self.list_filter, *filters.contributed_filters())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        # Which of them are current is the status filter's to say; elsewhere only they are offered.
        here = request.resolver_match
        is_list = here is not None and here.url_name != "autocomplete"
        ids = search_customers(search_term, live_only=not (is_list and "show" in request.GET))
        found = queryset.filter(pk__in=ids)
        if "o" not in request.GET:
            found = found.order_by(_place_in(ids))
        return found, False

    @display(description="Engagement, 0 to 100")
    def engagement(self, customer: CustomerProfile) -> object:
        return customer.engagement_score

    @display(description="Churn risk, 0 to 100")
    def churn_risk(self, customer: CustomerProfile) -> object:
        return customer.churn_risk_score

    @display(description="Known since")
    def known_since(self, customer: CustomerProfile) -> str:
        return ago(customer.created_at)

    @display(description="Id")
    def record_id(self, customer: CustomerProfile) -> str:
        return str(customer.pk)

    # The form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        fieldsets = super().get_fieldsets(request, obj)
        if obj.scl_member_id is None:
            return fieldsets
        said = {"Person", "Contact"}
        return [
            (name, {**options, "description": KEPT_BY_SCL} if name in said else options)
            for name, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What another service keeps is read only, where that service knows the person."""
        if obj is None:
            return []
        linked = {name for name, field in LINK_FIELDS.items() if getattr(obj, field) is not None}
        kept = [name for name, owner in OWNER.items() if owner in linked or name in EXCLUSIVE]
        return [*NEVER_WRITTEN_HERE, *kept]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            said = CustomerForm.Meta.help_texts
            owners = badges(obj)
            kwargs["help_texts"] = {
                name: format_html("{} {}", owners[name], said.get(name, "")) for name in owners
            }
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_gone = isinstance(obj, CustomerProfile) and not obj.is_live
        return not is_gone and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        actor = Actor.from_request(request)
        try:
            if change:
                update_profile(customer_id=obj.pk, values=values, actor=actor)
            else:
                obj.pk = create_profile(values=values, actor=actor).pk
        except FactError as error:
            raise _named(error, form) from error

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(self._page_of(obj.pk))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(self._page_of(obj.pk))

    # The page

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        customer = kwargs.get("obj")
        is_overview = request.method == "GET" and "details" not in request.GET
        if customer is not None:
            context |= header_of(request, customer)
            context["is_overview"] = is_overview
            context["page_url"] = self._page_of(customer.pk)
        if customer is not None and is_overview:
            context |= timeline_of(request, customer) | notes_panel.notes_of(request, customer)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("<uuid:pk>/timeline/", self.timeline_view, "timeline"),
            ("<uuid:pk>/notes/", self.notes_view, "notes"),
            ("<uuid:pk>/notes/<uuid:note_id>/", self.note_view, "note"),
            ("<uuid:pk>/notes/<uuid:note_id>/history/", self.note_history_view, "note_history"),
        )
        mine = [
            path(route, self.admin_site.admin_view(view), name=f"customers_customerprofile_{name}")
            for route, view, name in pages
        ]
        return [*mine, *super().get_urls()]

    def timeline_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        customer = self._visible(request, pk)
        return render(request, "customers/timeline.html", timeline_of(request, customer))

    def notes_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        customer = self._visible(request, pk)
        if request.method == "POST":
            return notes_panel.add_from_page(request, customer)
        context = notes_panel.notes_of(request, customer)
        return render(request, "customers/notes.html", context)

    def note_view(self, request: HttpRequest, pk: UUID, note_id: UUID) -> HttpResponse:
        return notes_panel.change_from_page(request, self._visible(request, pk), note_id)

    def note_history_view(self, request: HttpRequest, pk: UUID, note_id: UUID) -> HttpResponse:
        return notes_panel.history_of(request, self._visible(request, pk), note_id)

    def _visible(self, request: HttpRequest, pk: UUID) -> CustomerProfile:
        customer: CustomerProfile = self.get_object_or_404(request, str(pk))
        if not self.has_view_permission(request, customer):
            raise PermissionDenied
        return customer

    def _page_of(self, pk: UUID) -> str:
        return reverse("admin:customers_customerprofile_change", args=[pk])

    # What one can do

    @dialog_action(
        title="Add a tag",
        text="Tags are yours to choose. Segments can ask for them.",
        submit="Add tag",
        form=TagForm,
        icon="sell",
        permissions=["customers.change_customerprofile"],
    )
    def add_tag(self, request: HttpRequest, form: TagForm, customer: CustomerProfile) -> str:
        tag = form.cleaned_data["tag"].strip()
        values = {"tags": [*dict.fromkeys([*customer.tags, tag])]}
        update_profile(customer_id=customer.pk, values=values, actor=Actor.from_request(request))
        return f"{customer.name} is tagged “{tag}”. Take it away under Details."

    @dialog_action(
        title="Delete this customer",
        label="Delete",
        text="They leave every list and get no more messages. Their history stays, and you can "
        "restore them.",
        submit="Delete customer",
        icon="delete",
        permissions=["customers.delete_customerprofile"],
    )
    def hide(self, request: HttpRequest, form: Any, customer: CustomerProfile) -> HttpResponse:
        delete_profile(customer_id=customer.pk, actor=Actor.from_request(request))
        messages.success(
            request, f"{customer.name} is deleted. To undo it, press Restore on this page."
        )
        return go_to(self._page_of(customer.pk))

    @dialog_action(
        title="Restore this customer",
        label="Restore",
        text="They are back in lists and segments, with everything they had.",
        submit="Restore customer",
        icon="restore_from_trash",
        permissions=["customers.delete_customerprofile"],
    )
    def restore(self, request: HttpRequest, form: Any, customer: CustomerProfile) -> str:
        restore_profile(customer_id=customer.pk, actor=Actor.from_request(request))
        return f"{customer.name} is back."

    @dialog_action(
        title="Undo the last merge",
        label="Undo merge",
        text="Both are two customers again, with everything they had. What came since the merge "
        "stays here.",
        submit="Undo merge",
        icon="call_split",
        permissions=["customers.merge_customerprofile"],
    )
    def undo_merge(self, request: HttpRequest, form: Any, customer: CustomerProfile) -> str:
        merge = last_merge_into(customer)
        if merge is None:
            raise DomainError("No merge into this customer can be undone.", code="nothing_to_undo")
        done = unmerge_profiles(merge_id=merge.pk, actor=Actor.from_request(request))
        both = f"{done.survivor.name} and {done.restored.name} are two customers again."
        return " ".join([both, *done.sentences])

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what fits: nobody restores who is not deleted."""
        customer = self.get_object(request, str(object_id))
        unfit = {"restore"} if customer is None or customer.is_live else set(self.only_live)
        if customer is not None and customer.merged_at:
            unfit |= {"restore", "erase"}
        if customer is not None and customer.erased_at:
            unfit |= {"restore", "erase", "export_person"}
        if customer is None or not customer.is_live or last_merge_into(customer) is None:
            unfit.add("undo_merge")
        actions = super().get_actions_detail(request, object_id)
        return [
            found
            for found in actions
            if found.action_name.rpartition("_customerprofile_")[2] not in unfit
        ]

    def _get_actions_navigation(
        self, provided_actions: Any, allowed_actions: Any, object_id: str | None = None
    ) -> Any:
        """Everything that can be done to one customer in one menu, whoever contributes it."""
        if object_id:
            # What takes somebody away stands last, whoever contributed something after it.
            names = sorted(
                self._extract_action_names(provided_actions), key=lambda name: name in TAKES_AWAY
            )
            provided_actions = [{"title": "Actions", "icon": "bolt", "items": names}]
        return super()._get_actions_navigation(provided_actions, allowed_actions, object_id)

    @classmethod
    def contribute(cls, place: str, button: Any) -> None:
        """Let an app above add a ``dialog_action`` to ``actions_detail`` or ``actions_list``."""
        setattr(cls, button.__name__, button)
        setattr(cls, place, (*getattr(cls, place), button.__name__))
        cls.only_live |= {button.__name__}


def _place_in(ids: list[UUID]) -> Func:
    return Func(
        Value(ids), F("pk"), function="array_position", template="%(function)s(%(expressions)s)",
        output_field=IntegerField(),
    )  # fmt: skip


def _named(error: FactError, form: Any) -> DomainError:
    """The first fault, at the form's own name for its field."""
    fault = error.faults[0]
    names = {name.replace("_", ""): name for name in form.fields}
    return DomainError(fault.message, path=names.get(fault.path.lower(), ""))
