"""The last step: everything that will happen, and the buttons that make it happen."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from campaigns.admin.panels import shown_preflight
from campaigns.admin.wizard import steps
from campaigns.admin.wizard.summary import when
from campaigns.choices import CampaignType
from campaigns.models import Campaign
from campaigns.services import lifecycle
from campaigns.services.preflight import Preflight
from crm_site.audit.actor import Actor
from crm_site.errors import DomainError

LAUNCH = "campaigns.launch_campaign"
# More people than that are confirmed by typing how many they are.
TYPED_ABOVE = 500


class NotSure(DomainError):
    """A start of many was not confirmed."""

    code = "not_confirmed"


def review_context(request: HttpRequest, campaign: Campaign, found: Preflight) -> dict[str, Any]:
    """What the review shows, and which buttons."""
    people = found.reach.people if found.reach else 0
    return {
        **shown_preflight(campaign, found),
        "step_links": {step.slug: steps.step_url(campaign, step) for step in steps.STEPS},
        "may_launch": request.user.has_perm(LAUNCH),
        "is_repeating": campaign.type == CampaignType.RECURRING,
        "when": when(campaign),
        "typed": people if people > TYPED_ABOVE else None,
    }


def act(request: HttpRequest, campaign: Campaign, found: Preflight) -> str:
    """Do what the button says; returns the sentence to show. Raises DomainError."""
    wish, actor = request.POST.get("wish"), Actor.from_request(request)
    if not request.user.has_perm(LAUNCH):
        raise PermissionDenied
    if wish not in ("start", "schedule"):
        raise NotSure("Choose what is to happen.")
    _check_sure(request, found)
    if wish == "schedule":
        lifecycle.schedule_campaign(campaign_id=campaign.pk, actor=actor)
        return f"“{campaign}” goes out by itself: {when(campaign)}. Back to draft undoes it."
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=actor)
    if campaign.type == CampaignType.RECURRING:
        return f"“{campaign}” is switched on. {when(campaign)}."
    return f"“{campaign}” is on its way."


def _check_sure(request: HttpRequest, found: Preflight) -> None:
    people = found.reach.people if found.reach else 0
    if people <= TYPED_ABOVE:
        return
    typed = "".join(each for each in request.POST.get("sure", "") if each.isdigit())
    if typed != str(people):
        raise NotSure(f"Type {people:,} to confirm that so many people hear.", path="sure")
