"""The pages of the steps, and the fragments they fetch while somebody chooses."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campaigns import tasks
from campaigns.admin.wizard import steps
from campaigns.admin.wizard.forms import AudienceForm, ContentForm, StepForm
from campaigns.admin.wizard.review import act, review_context
from campaigns.admin.wizard.schedule import ScheduleStepForm
from campaigns.admin.wizard.summary import summary
from campaigns.choices import CampaignStatus, DeliveryReason
from campaigns.models import Campaign
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services import lifecycle
from campaigns.services.audience import count_reach, find_people
from campaigns.services.crowd import Crowd
from campaigns.services.looking import look_at_template, some_readers
from campaigns.services.preflight import first_findings, preflight
from campaigns.services.recurrence import RecurrenceError, next_runs
from crm_site.audit.actor import Actor
from crm_site.db.timeouts import statement_timeout
from crm_site.errors import DomainError
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile

SHOWN_RUNS = 10
PEOPLE_SHOWN = 50
COUNT_SECONDS = 5
# None of the scripts that the list needs.
LOOKS = Media(css={"all": ["campaigns/campaigns.css"]})
MAY_DISCARD = "campaigns.delete_campaign"
either = require_http_methods(["GET", "POST"])


class Wizard:
    """Mixed into the admin of campaigns: a draft is filled in by steps."""

    # Of the admin that this is mixed into.
    model: Any
    admin_site: Any

    def wizard_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = "campaigns_campaign"
        return [
            path(
                "<uuid:object_id>/step/<slug:slug>/",
                view(either(self.step_view)),
                name=f"{name}_step",
            ),
            path("<uuid:object_id>/copy/", view(require_POST(self.copy_view)), name=f"{name}_copy"),
            path(
                "<uuid:object_id>/discard/",
                view(require_POST(self.discard_view)),
                name=f"{name}_discard",
            ),
            path(
                "<uuid:object_id>/reach/", view(require_GET(self.reach_view)), name=f"{name}_reach"
            ),
            path(
                "<uuid:object_id>/people/",
                view(require_GET(self.people_view)),
                name=f"{name}_people",
            ),
            path("<uuid:object_id>/look/", view(require_GET(self.look_view)), name=f"{name}_look"),
            path(
                "<uuid:object_id>/times/", view(require_GET(self.times_view)), name=f"{name}_times"
            ),
        ]

    # Pages

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        return self._answer(request, None, steps.FIRST)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """A draft opens on the step to go on with, for whoever may change it."""
        campaign = self.get_object_or_404(request, object_id)  # type: ignore[attr-defined]
        if self._is_open(request, campaign):
            findings = first_findings(campaign, now=timezone.now())
            return HttpResponseRedirect(steps.step_url(campaign, steps.first_open(findings)))
        return super().change_view(request, object_id, *args, **kwargs)  # type: ignore[misc]

    def step_view(self, request: HttpRequest, object_id: UUID, slug: str) -> HttpResponse:
        step = steps.BY_SLUG.get(slug)
        if step is None:
            raise Http404
        campaign = self.get_object_or_404(request, str(object_id))  # type: ignore[attr-defined]
        if not self._is_open(request, campaign):
            # Its own page says what may still be done, and to whom.
            return HttpResponseRedirect(_page_of(campaign))
        if step == steps.REVIEW:
            return self.review_view(request, campaign)
        return self._answer(request, campaign, step)

    def review_view(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        is_by_hand = campaign.scheduled_at is None
        found = preflight(campaign, now=timezone.now(), is_starting=is_by_hand)
        error = ""
        if request.method == "POST":
            try:
                with transaction.atomic():
                    said = act(request, campaign, found)
            except DomainError as refusal:
                error = refusal.message
            else:
                tasks.ring_on_commit(require_tenant_id())
                messages.success(request, said)
                return HttpResponseRedirect(_page_of(campaign))
        context = self.around(request, campaign, steps.REVIEW) | {"error": error}
        context |= review_context(request, campaign, found)
        status = 409 if error else 200
        return TemplateResponse(request, "campaigns/wizard/review.html", context, status=status)

    def copy_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """A copy without dates, opened on its first step."""
        if not self.has_add_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        campaign = self._seen(request, object_id)
        actor = Actor.from_request(request)
        clone = lifecycle.clone_campaign(campaign_id=campaign.pk, actor=actor)
        messages.success(request, f"“{clone}” is a draft of its own, without dates.")
        return HttpResponseRedirect(steps.step_url(clone, steps.FIRST))

    def discard_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Throw a draft away; it was never sent, so nothing is lost but the draft."""
        campaign = self._seen(request, object_id)
        if not (self._is_open(request, campaign) and request.user.has_perm(MAY_DISCARD)):
            raise PermissionDenied
        lifecycle.delete_campaign(campaign_id=campaign.pk)
        messages.success(request, f"The draft “{campaign}” is gone.")
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_changelist"))

    def _is_open(self, request: HttpRequest, campaign: Campaign) -> bool:
        may_change = self.has_change_permission(request, campaign)  # type: ignore[attr-defined]
        return bool(campaign.status == CampaignStatus.DRAFT and may_change)

    def _answer(
        self, request: HttpRequest, campaign: Campaign | None, step: steps.Step
    ) -> HttpResponse:
        form_class: Any = step.form
        form = form_class(request=request, campaign=campaign, data=request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    campaign = _save(request, campaign, form)
            except DomainError as error:
                form.add_error(error.path if error.path in form.fields else None, error.message)
            else:
                onward = step if "stay" in request.POST else steps.step_after(step)
                return HttpResponseRedirect(steps.step_url(campaign, onward))
        context = self.around(request, campaign, step) | {"form": form}
        context |= _beside(campaign, form)
        status = 422 if form.errors else 200
        return TemplateResponse(
            request, f"campaigns/wizard/{step.slug}.html", context, status=status
        )

    def around(
        self, request: HttpRequest, campaign: Campaign | None, step: steps.Step
    ) -> dict[str, Any]:
        """What every step's page shows."""
        findings = first_findings(campaign, now=timezone.now()) if campaign else []
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "media": LOOKS,
            "title": campaign.name if campaign else "New campaign",
            "campaign": campaign,
            "step": step,
            "marks": steps.marks(campaign, step, findings),
            "summary": summary(campaign) if campaign else None,
            "next_step": steps.step_after(step),
            "may_discard": request.user.has_perm(MAY_DISCARD),
            "list_url": reverse("admin:campaigns_campaign_changelist"),
        }

    # Fragments

    def reach_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """How many each channel would reach, for what is saved or what is being chosen."""
        campaign = self._seen(request, object_id)
        crowd = Crowd.of(campaign)
        if "choosing" in request.GET:
            crowd = _chosen_crowd(
                AudienceForm(request=request, campaign=campaign, data=request.GET)
            )
        channels: list[str] = (
            list(TEMPLATE_FIELDS) if "choosing" in request.GET else list(campaign.channels)
        )
        reach = None
        if crowd.included and channels:
            try:
                with statement_timeout(COUNT_SECONDS):
                    reach = count_reach(
                        crowd=crowd, channels=channels, now=timezone.now(), campaign=campaign
                    )
            except OperationalError:
                return render(request, "campaigns/wizard/reach.html", {"took_too_long": True})
        rows = [(Channel(each.channel).label, each) for each in reach.channels] if reach else []
        context = {"reach": reach, "rows": rows, "crowd": crowd, "channels": channels,
                   "is_choosing": "choosing" in request.GET}  # fmt: skip
        return render(request, "campaigns/wizard/reach.html", context)

    def people_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The people behind one number of the review, page by page."""
        campaign = self._seen(request, object_id)
        self.require(request, ("customers.view_customerprofile",))  # type: ignore[attr-defined]
        channel, why = request.GET.get("channel", ""), request.GET.get("why", "")
        after, now = _id(request.GET.get("after")), timezone.now()
        if (channel and channel not in campaign.channels) or (
            why and why not in DeliveryReason.values
        ):
            raise Http404
        if channel:
            ids = find_people(
                crowd=Crowd.of(campaign), channel=channel, now=now, campaign=campaign, after=after,
                why=DeliveryReason(why) if why else None, limit=PEOPLE_SHOWN + 1,
            )  # fmt: skip
        else:
            ids = Crowd.of(campaign).page(after=after, limit=PEOPLE_SHOWN + 1)
        shown = ids[:PEOPLE_SHOWN]
        people = sorted(CustomerProfile.objects.filter(pk__in=shown), key=lambda each: each.pk)
        context = self.around(request, campaign, steps.REVIEW) | {
            "people": people,
            "what": DeliveryReason(why).label
            if why
            else "Will be sent"
            if channel
            else "Everybody",
            "channel": Channel(channel).label if channel else "",
            "query": urlencode({"channel": channel, "why": why}),
            "next": shown[-1] if len(ids) > PEOPLE_SHOWN else None,
            "back": steps.step_url(campaign, steps.REVIEW),
        }
        return TemplateResponse(request, "campaigns/wizard/people.html", context)

    def look_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """A template as somebody would see it."""
        campaign = self._seen(request, object_id)
        channel = request.GET.get("channel", "")
        if channel not in TEMPLATE_FIELDS:
            raise Http404
        template_id = request.GET.get(TEMPLATE_FIELDS[Channel(channel)], "")
        look = None
        if template_id:
            look = look_at_template(
                campaign, channel=channel, template_id=template_id,
                customer_id=_id(request.GET.get("reader")),
            )  # fmt: skip
        return render(request, "campaigns/wizard/look.html", {"look": look, "channel": channel})

    def times_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The next runs of what is being chosen."""
        campaign = self._seen(request, object_id)
        form = ScheduleStepForm(request=request, campaign=campaign, data=request.GET)
        if form.is_valid():
            for name, value in form.values().items():
                setattr(campaign, name, value)
            return render(request, "campaigns/wizard/times.html", _times(campaign))
        return render(request, "campaigns/wizard/times.html", {"errors": form.errors})

    def _seen(self, request: HttpRequest, object_id: UUID) -> Campaign:
        campaign: Campaign = self.get_object_or_404(request, str(object_id))  # type: ignore[attr-defined]
        if not self.has_view_permission(request, campaign):  # type: ignore[attr-defined]
            raise PermissionDenied
        return campaign


def _save(request: HttpRequest, campaign: Campaign | None, form: StepForm) -> Campaign:
    if campaign is None:
        return lifecycle.create_campaign(values=form.values(), actor=Actor.from_request(request))
    return lifecycle.change_campaign(campaign_id=campaign.pk, values=form.values())


def _beside(campaign: Campaign | None, form: StepForm) -> dict[str, Any]:
    """What a step shows beside its fields."""
    if campaign is None:
        return {}
    if isinstance(form, ContentForm):
        return {"readers": some_readers(campaign), "is_known": form.known.is_known}
    if isinstance(form, ScheduleStepForm) and form.is_repeating:
        return _times(campaign)
    return {}


def _times(campaign: Campaign) -> dict[str, Any]:
    if not campaign.recur_pattern:
        return {"runs": []}
    try:
        runs = next_runs(campaign, after=timezone.now(), count=SHOWN_RUNS)
    except RecurrenceError as error:
        return {"errors": {"": [error.message]}}
    return {"runs": runs, "zone": campaign.timezone or "UTC"}


def _chosen_crowd(form: AudienceForm) -> Crowd:
    if not form.is_valid():
        return Crowd(())
    chosen = form.values()
    first = [chosen["segment"]] if chosen["segment"] else []
    return Crowd(
        included=tuple(dict.fromkeys(each.pk for each in [*first, *chosen["include_segments"]])),
        excluded=tuple(each.pk for each in chosen["exclude_segments"]),
    )


def _id(given: str | None) -> UUID | None:
    try:
        return UUID(given or "")
    except ValueError:
        return None


def _page_of(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])
