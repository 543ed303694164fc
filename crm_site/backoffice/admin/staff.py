"""Who works here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from crm_site.access.models import TenantMembership
from crm_site.access.roles import Role
from crm_site.access.services import visible_club_ids
from crm_site.access.staff import add_staff, change_staff, remove_staff
from crm_site.audit.actor import Actor
from crm_site.backoffice import filters, widgets
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import ActionVariant, TenantModelAdmin, dialog_action, display
from crm_site.backoffice.secrets import show_once
from crm_site.tenancy.models import Club

WHAT_ROLES_DO = {
    Role.VIEWER: "sees customers, segments and campaigns",
    Role.STAFF: "also edits customers and writes notes",
    Role.MARKETER: "also makes segments and sends campaigns",
    Role.MANAGER: "also merges and erases customers, sees the logs",
    Role.INTEGRATOR: "sees everything, looks after keys, webhooks and events",
    Role.OWNER: "everything, staff and club settings included",
}
ROLES = [(role.value, f"{role.label}: {does}") for role, does in WHAT_ROLES_DO.items()]
COLOURS = {role.value: "info" for role in Role} | {Role.OWNER.value: "success"}


class StaffForm(forms.ModelForm):
    role = forms.ChoiceField(choices=ROLES, widget=widgets.RadioSelect, initial=Role.STAFF)
    clubs: Any = forms.ModelMultipleChoiceField(
        queryset=Club.all_tenants.none(),
        required=False,
        widget=widgets.CheckboxSelectMultiple,
        label="Only these clubs",
        help_text="None ticked: everything of the whole club or group.",
    )

    class Meta:
        model = TenantMembership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clubs"].queryset = Club.objects.all()  # type: ignore[attr-defined]
        if self.instance.user_id:
            limited = visible_club_ids_of(self.instance)
            self.fields["clubs"].initial = limited


class NewStaffForm(StaffForm):
    email = forms.EmailField(label="E-mail address", widget=widgets.EmailInput)
    first_name = forms.CharField(required=False, max_length=150, widget=widgets.TextInput)
    last_name = forms.CharField(required=False, max_length=150, widget=widgets.TextInput)


def visible_club_ids_of(membership: TenantMembership) -> list[Any]:
    """The clubs somebody is limited to; empty where they see all."""
    return list(visible_club_ids(membership.user) or ())


@admin.register(TenantMembership)
class StaffAdmin(TenantModelAdmin):
    list_display = ("person", "role_name", "reach", "last_seen")
    list_filter = (("role", filters.ChoicesDropdownFilter),)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__first_name", "user__last_name")
    ordering = ("user__email",)
    sortable_by = ()
    actions_detail = ("remove",)
    empty_text = "Add the people who work with Fairway, each with the role that suits them."

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = StaffForm if obj else NewStaffForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("email", ("first_name", "last_name"), "role", "clubs")}),)
        return ((None, {"fields": ("role", "clubs")}),)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given, actor = form.cleaned_data, Actor.from_request(request)
        role, clubs = Role(given["role"]), given["clubs"]
        if change:
            change_staff(membership=obj, role=role, clubs=clubs, actor=actor)
            return
        membership, password = add_staff(
            email=given["email"],
            first_name=given["first_name"],
            last_name=given["last_name"],
            role=role,
            clubs=clubs,
            actor=actor,
        )
        obj.__dict__.update(membership.__dict__)
        obj.first_password = password

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if obj.first_password is None:
            messages.success(request, f"{obj.user} is on the staff, with the sign-in they have.")
            return super().response_post_save_add(request, obj)
        return show_once(
            request,
            self.admin_site,
            title=f"{obj.user} is on the staff",
            text="Pass this first password on. They change it under their name, bottom left.",
            secrets={"Sign in at": request.build_absolute_uri("/"), "E-mail": obj.user.email,
                     "First password": obj.first_password},
            next_url=reverse("admin:access_tenantmembership_changelist"),
        )  # fmt: skip

    @dialog_action(
        title="Remove from the staff",
        label="Remove",
        text="They can no longer open this club. What they did stays in the audit log.",
        permissions=("access.delete_tenantmembership",),
        icon="person_remove",
        variant=ActionVariant.DANGER,
    )
    def remove(self, request: HttpRequest, form: Any, obj: TenantMembership) -> HttpResponse:
        remove_staff(membership=obj, actor=Actor.from_request(request))
        messages.success(request, f"{obj.user} is no longer on the staff.")
        return go_to(reverse("admin:access_tenantmembership_changelist"))

    @display(description="Name", header=True)
    def person(self, membership: TenantMembership) -> tuple[str, str]:
        return str(membership.user), membership.user.email

    @display(description="Role", label=COLOURS)
    def role_name(self, membership: TenantMembership) -> tuple[str, str]:
        return membership.role, membership.get_role_display()

    @display(description="Sees")
    def reach(self, membership: TenantMembership) -> str:
        return "Certain clubs" if membership.is_limited_to_clubs else "Everything"

    @display(description="Last signed in")
    def last_seen(self, membership: TenantMembership) -> str:
        return ago(membership.user.last_login)
