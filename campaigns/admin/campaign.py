"""Campaigns: the list, the form step by step, and the page that shows how one goes."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns import tasks
from campaigns.admin.calendar.pages import CalendarPages
from campaigns.admin.forms import GoalField, ScheduleForm
from campaigns.admin.panels import ReviewTab, results
from campaigns.admin.results.pages import ResultsPages, ResultsTab
from campaigns.admin.wizard.summary import summary, when
from campaigns.admin.wizard.views import Wizard
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from campaigns.services import lifecycle
from campaigns.services.approving import waiting_for
from campaigns.state import Move, allowed_moves
from crm_site.audit.actor import Actor
from crm_site.backoffice import filters
from crm_site.backoffice.actions import go_to
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import (
    ActionVariant,
    DialogForm,
    TenantModelAdmin,
    dialog_action,
    display,
)
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id

LAUNCH = ("campaigns.launch_campaign",)
STATUS_COLOURS = {
    CampaignStatus.SCHEDULED: "info",
    CampaignStatus.ACTIVE: "success",
    CampaignStatus.PAUSED: "warning",
    CampaignStatus.CANCELLED: "danger",
}
# The button for each move of a person's.
BUTTONS = {
    "start_now": Move.START,
    "schedule": Move.SCHEDULE,
    "back_to_draft": Move.UNSCHEDULE,
    "pause": Move.PAUSE,
    "resume": Move.RESUME,
    "cancel": Move.CANCEL,
}


class WaitsFilter(filters.DropdownFilter):
    """Campaigns that wait for this person."""

    title = "waiting"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("approval", "For my approval")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "approval":
            return queryset
        asked = waiting_for(Actor.from_request(request)).values("campaign_id")
        return queryset.filter(pk__in=asked)


@admin.register(Campaign)
class CampaignAdmin(Wizard, ResultsPages, CalendarPages, TenantModelAdmin):
    list_display = ("title", "shown_status", "moved", "progress", "sent", "opened", "clicked")
    list_display_links = ("title",)
    list_filter = (
        ("status", filters.ChoicesDropdownFilter),
        WaitsFilter,
        ("type", filters.ChoicesDropdownFilter),
        ("scheduled_at", filters.RangeDateFilter),
    )
    list_select_related = ("segment",)
    search_fields = ("name__istartswith",)
    search_help_text = "The beginning of a campaign's name"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    lazy_tabs = (ResultsTab, ReviewTab)
    change_form_outer_before_template = "campaigns/results_frame.html"
    actions_detail = (*BUTTONS, "clone")
    empty_title = "No campaigns yet"
    empty_text = (
        "A campaign says something to a segment, by e-mail or SMS. Give it a name, choose whom it "
        "is for and what it says; before it starts you see exactly who will hear."
    )

    class Media:
        css = {"all": ("campaigns/campaigns.css",)}

    # The form

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Of one that is no draft any more: its words may be changed, the rest is told."""
        what = ("shown_audience", "shown_channels", "shown_templates", "shown_time")
        goal = ("goal_activity_type", "goal_days", "goal_has_revenue")
        return (
            ("Basics", {"fields": ("name", "description", *goal), "classes": ("tab",)}),
            ("What was set up", {"fields": what, "classes": ("tab",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        return ("shown_audience", "shown_channels", "shown_templates", "shown_time")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "goal_activity_type":
            return GoalField()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        lifecycle.change_campaign(campaign_id=obj.pk, values=values)

    # What was set up

    @display(description="Channels")
    def shown_channels(self, campaign: Campaign) -> str:
        return ", ".join(Channel(each).label for each in campaign.channels) or "–"

    @display(description="Templates")
    def shown_templates(self, campaign: Campaign) -> str:
        chosen = [campaign.template_for(each) for each in campaign.channels]
        return ", ".join(each for each in chosen if each) or "–"

    @display(description="For")
    def shown_audience(self, campaign: Campaign) -> str:
        told = summary(campaign)
        without = f", but nobody in {', '.join(told.without)}" if told.without else ""
        return ", ".join(told.who) + without if told.who else "–"

    @display(description="Goes out")
    def shown_time(self, campaign: Campaign) -> str:
        return when(campaign)

    # The page of one that was started

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context["campaign"] = obj
            context["last_miss"] = self._last_miss(obj)
            if obj.started_at:
                context["results"] = results(obj)
                context["panel_url"] = reverse("admin:campaigns_campaign_panel", args=[obj.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        panel = path(
            "<uuid:object_id>/panel/",
            self.admin_site.admin_view(self.panel_view),
            name="campaigns_campaign_panel",
        )
        return [
            panel,
            *self.wizard_urls(),
            *self.results_urls(),
            *self.calendar_urls(),
            *super().get_urls(),
        ]

    def panel_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """The results alone, for a page that is open while it sends."""
        campaign = self.get_object_or_404(request, str(object_id))
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return render(request, "campaigns/results.html", {"results": results(campaign)})

    def _last_miss(self, campaign: Campaign) -> Any:
        """Why a draft that was scheduled did not go out."""
        if campaign.status != CampaignStatus.DRAFT:
            return None
        return campaign.runs.filter(error__isnull=False).order_by("-occurrence_at").first()

    # The list

    @display(description="Campaign", header=True)
    def title(self, campaign: Campaign) -> list[str]:
        return [campaign.name, campaign.segment.name if campaign.segment else "No segment yet"]

    @display(description="Status", label=STATUS_COLOURS)
    def shown_status(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.status, campaign.get_status_display()

    @display(description="When")
    def moved(self, campaign: Campaign) -> SafeString | str:
        return ago(campaign.started_at or campaign.scheduled_at)

    @display(description="Reached")
    def progress(self, campaign: Campaign) -> SafeString | str:
        if not campaign.target_count:
            return "–"
        sent, people = campaign.sent_count, campaign.target_count
        return format_html(
            '<progress class="campaign-progress" max="{}" value="{}" title="{}"></progress>',
            people,
            min(sent, people),
            f"{sent:,} messages for {people:,} people",
        )

    @display(description="Sent")
    def sent(self, campaign: Campaign) -> str:
        return f"{campaign.sent_count:,}" if campaign.started_at else "–"

    @display(description="Opened")
    def opened(self, campaign: Campaign) -> str:
        return _percent(campaign.open_rate)

    @display(description="Clicked")
    def clicked(self, campaign: Campaign) -> str:
        return _percent(campaign.click_rate)

    # Buttons

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        campaign = self.get_object(request, str(object_id))
        if campaign is None:
            return []
        moves = allowed_moves(campaign.status)
        if campaign.status == CampaignStatus.DRAFT:
            moves -= {Move.CANCEL}  # Beside "Start now" it would only be pressed by mistake.
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if BUTTONS.get(action.method.original_function_name) in {None, *moves}
        ]

    @dialog_action(
        title="Start this campaign now?", label="Start now", permissions=LAUNCH, icon="send",
        text="Its recipients are written down and messages leave within seconds. You may pause it "
        "at any time; what has left cannot be taken back.",
        submit="Start now", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def start_now(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        self._do(lifecycle.start_campaign, request, obj)
        return self._said(request, obj, f"“{obj}” is on its way.")

    @dialog_action(
        title="When should it go out?", label="Schedule", permissions=LAUNCH, icon="schedule",
        form=ScheduleForm, submit="Schedule",
    )  # fmt: skip
    def schedule(self, request: HttpRequest, form: ScheduleForm, obj: Campaign) -> Any:
        values = form.cleaned_data
        if obj.status == CampaignStatus.DRAFT:
            lifecycle.change_campaign(campaign_id=obj.pk, values={"timezone": values["timezone"]})
        self._do(lifecycle.schedule_campaign, request, obj, scheduled_at=values["scheduled_at"])
        said = date_format(values["scheduled_at"], "l j F, H:i")
        return self._said(request, obj, f"“{obj}” goes out on {said}. Back to draft undoes it.")

    @dialog_action(
        title="Take it back to draft?", label="Back to draft", permissions=LAUNCH, icon="undo",
        text="It will not go out by itself, and everything may be changed again.",
        submit="Back to draft",
    )  # fmt: skip
    def back_to_draft(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        self._do(lifecycle.unschedule_campaign, request, obj)
        return self._said(request, obj, f"“{obj}” is a draft again.")

    @dialog_action(
        title="Pause it?", label="Pause", permissions=LAUNCH, icon="pause",
        text="Nobody further is written to until you resume. What is on its way still arrives.",
        submit="Pause",
    )  # fmt: skip
    def pause(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        self._do(lifecycle.pause_campaign, request, obj)
        return self._said(request, obj, f"“{obj}” is paused. Resume lets it go on.")

    @dialog_action(
        title="Let it go on?", label="Resume", permissions=LAUNCH, icon="play_arrow",
        text="It goes on where it stopped: nobody hears twice. What has waited for more than a "
        "day and a half is left out.",
        submit="Resume", variant=ActionVariant.PRIMARY,
    )  # fmt: skip
    def resume(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        self._do(lifecycle.resume_campaign, request, obj)
        return self._said(request, obj, f"“{obj}” goes on.")

    @dialog_action(
        title="Cancel it for good?", label="Cancel", permissions=LAUNCH, icon="block",
        text="Nobody further is written to, and it cannot be started again. A clone can.",
        submit="Cancel this campaign", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def cancel(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        self._do(lifecycle.cancel_campaign, request, obj)
        return self._said(request, obj, f"“{obj}” is cancelled.")

    @dialog_action(
        title="Make a copy?", label="Clone", permissions=("campaigns.add_campaign",),
        icon="content_copy", text="A draft with the same segment and content, without dates.",
        submit="Clone",
    )  # fmt: skip
    def clone(self, request: HttpRequest, form: DialogForm, obj: Campaign) -> Any:
        clone = lifecycle.clone_campaign(campaign_id=obj.pk, actor=Actor.from_request(request))
        return go_to(reverse("admin:campaigns_campaign_change", args=[clone.pk]))

    def _do(self, move: Any, request: HttpRequest, obj: Campaign, **values: Any) -> None:
        move(campaign_id=obj.pk, actor=Actor.from_request(request), **values)
        tasks.ring_on_commit(require_tenant_id())

    def _said(self, request: HttpRequest, obj: Campaign, sentence: str) -> HttpResponse:
        self.message_user(request, sentence)
        # Without the step in the address, so that the page opens on what is new.
        return go_to(reverse("admin:campaigns_campaign_change", args=[obj.pk]))


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.0%}"
