"""What belongs to the whole installation: superusers only."""

import importlib
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from guardian.models import GroupObjectPermission, UserObjectPermission
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm_site.access.models import User
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import PlainModelAdmin, display
from crm_site.tenancy.models import Installation

# Those apps register screens of their own when first imported. Roles and grants are kept by the
# code, and the kinds of schedule are chosen on the schedule's own page.
importlib.import_module("django_celery_beat.admin")
for _model in (
    *(Group, GroupObjectPermission, UserObjectPermission),
    *(PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule),
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class SuperuserAdmin(PlainModelAdmin):
    """Rows without a tenant, so nobody with a mere role sees them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Installation)
class InstallationAdmin(SuperuserAdmin):
    """The switch that stops every club's sending. There is no list: there is one row."""

    ordering = ("pk",)
    fields = ("is_sending_enabled", "reason", "changed_at")
    readonly_fields = ("changed_at",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row, _ = Installation.objects.get_or_create(pk=1)
        return HttpResponseRedirect(reverse("admin:tenancy_installation_change", args=[row.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


class ExistingUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class CrmUserAdmin(SuperuserAdmin, UserAdmin):  # type: ignore[misc]
    form, add_form = ExistingUserForm, NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("person", "is_superuser", "is_active", "last_seen")
    list_filter = ("is_superuser", "is_active")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    sortable_by = ("email",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "password")}),
        (
            "May",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "What somebody may do in a club is their role there, under Staff.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "email",
                    "first_name",
                    "last_name",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )

    @display(description="Name", header=True)
    def person(self, user: User) -> tuple[str, str]:
        return str(user), user.email

    @display(description="Last signed in")
    def last_seen(self, user: User) -> str:
        return ago(user.last_login)


@admin.register(PeriodicTask)
class ScheduleAdmin(SuperuserAdmin):
    """The clock's ticks. Ticks only ring: what is due is worked out from rows."""

    list_display = ("name", "rhythm", "enabled", "last_run", "runs")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab")
    search_fields = ("name", "task")
    ordering = ("name",)
    sortable_by = ("name",)
    fields = ("name", "task", "enabled", "rhythm", "last_run", "runs")
    # The rhythm, too: each start of the beat writes it anew from settings.
    readonly_fields = ("name", "task", "rhythm", "last_run", "runs")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # Each tick needs code that answers it, so ticks are declared in settings.

    @display(description="Every")
    def rhythm(self, task: PeriodicTask) -> str:
        return str(task.schedule.human_seconds if task.interval else task.crontab or "–")

    @display(description="Last rang")
    def last_run(self, task: PeriodicTask) -> str:
        return ago(task.last_run_at)

    @display(description="Times")
    def runs(self, task: PeriodicTask) -> int:
        return int(task.total_run_count)
