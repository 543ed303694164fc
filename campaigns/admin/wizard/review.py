"""The last step: everything that will happen, and the buttons that make it happen."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from campaigns.admin.panels import shown_preflight
from campaigns.admin.wizard import steps
from campaigns.admin.wizard.summary import when
from campaigns.choices import ApprovalStatus, CampaignType
from campaigns.models import Campaign, CampaignApproval, SeedRecipient
from campaigns.services import lifecycle
from campaigns.services.approvals import newest_approval
from campaigns.services.approving import (
    approve_campaign,
    is_own,
    request_approval,
    return_campaign,
)
from campaigns.services.preflight import Level, Preflight
from campaigns.services.trials import request_trial, staff_of_tenant
from campaigns.tasks import ring_for_trials_on_commit
from crm_site.audit.actor import Actor
from crm_site.backoffice.people import names_of
from crm_site.errors import DomainError
from crm_site.tenancy.context import require_tenant_id

LAUNCH, APPROVE = "campaigns.launch_campaign", "campaigns.approve_campaign"
# More people than that are confirmed by typing how many they are.
TYPED_ABOVE = 500
STAFF_OFFERED, TRIALS_SHOWN = 50, 10


class NotSure(DomainError):
    """A start of many was not confirmed."""

    code = "not_confirmed"


def review_context(request: HttpRequest, campaign: Campaign, found: Preflight) -> dict[str, Any]:
    """What the review shows, and which buttons."""
    people = found.reach.people if found.reach else 0
    approval = newest_approval(campaign)
    actor = Actor.from_request(request)
    codes = {each.code for each in found.findings if each.level == Level.RED}
    return {
        **shown_preflight(campaign, found),
        "staff": staff_of_tenant()[:STAFF_OFFERED],
        "seeds": SeedRecipient.objects.filter(is_active=True).order_by("name"),
        "trials": campaign.trials.order_by("-created_at")[:TRIALS_SHOWN],
        "me": request.user.pk,
        "approval": approval,
        "asker": names_of([approval.requested_by])[approval.requested_by] if approval else "",
        "decider": _decider(approval),
        "is_open_request": approval is not None
        and approval.status == ApprovalStatus.REQUESTED
        and "approval_missing" not in codes,
        # What is left to do is a second person's, and no mending.
        "may_ask": codes == {"approval_missing"},
        "may_approve": request.user.has_perm(APPROVE)
        and approval is not None
        and not is_own(campaign, approval, actor),
        "step_links": {step.slug: steps.step_url(campaign, step) for step in steps.STEPS},
        "may_launch": request.user.has_perm(LAUNCH),
        "is_repeating": campaign.type == CampaignType.RECURRING,
        "when": when(campaign),
        "typed": people if people > TYPED_ABOVE else None,
    }


def act(request: HttpRequest, campaign: Campaign, found: Preflight) -> str:
    """Do what the button says; returns the sentence to show. Raises DomainError."""
    wish, actor = request.POST.get("wish"), Actor.from_request(request)
    if not request.user.has_perm(APPROVE if wish in ("approve", "return") else LAUNCH):
        raise PermissionDenied
    now, remark = timezone.now(), request.POST.get("remark", "")
    if wish == "ask":
        request_approval(campaign_id=campaign.pk, actor=actor, now=now)
        return "Asked. Whoever may approve sees it on their home page."
    if wish == "approve":
        approve_campaign(campaign_id=campaign.pk, actor=actor, now=now, remark=remark)
        return f"“{campaign}” is approved as it stands; any change undoes that."
    if wish == "return":
        return_campaign(campaign_id=campaign.pk, actor=actor, now=now, remark=remark)
        return f"“{campaign}” is returned with your remark."
    if wish == "test":
        return _test(request, campaign, actor)
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


def _test(request: HttpRequest, campaign: Campaign, actor: Actor) -> str:
    chosen = request.POST.getlist("seed")
    staff = [int(each) for each in request.POST.getlist("staff") if each.isdecimal()]
    made = request_trial(
        campaign_id=campaign.pk,
        seed_ids=[UUID(each) for each in chosen if _is_id(each)],
        user_ids=staff,
        actor=actor,
    )
    ring_for_trials_on_commit(require_tenant_id())
    return f"{len(made)} test message{'' if len(made) == 1 else 's'} on the way, in no figure."


def _is_id(given: str) -> bool:
    try:
        UUID(given)
    except ValueError:
        return False
    return True


def _decider(approval: CampaignApproval | None) -> str:
    if approval is None or approval.decided_by is None:
        return ""
    return names_of([approval.decided_by])[approval.decided_by]


def _check_sure(request: HttpRequest, found: Preflight) -> None:
    people = found.reach.people if found.reach else 0
    if people <= TYPED_ABOVE:
        return
    typed = "".join(each for each in request.POST.get("sure", "") if each.isdigit())
    if typed != str(people):
        raise NotSure(f"Type {people:,} to confirm that so many people hear.", path="sure")
