"""Asking a second person to look at a campaign, and what they say."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from campaigns.choices import ApprovalStatus, CampaignStatus
from campaigns.models import Campaign, CampaignApproval
from campaigns.services.approvals import fingerprint, standing_approval, undo_approvals
from campaigns.services.preflight import APPROVAL_CODES, Level, Preflight, preflight
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError

LONGEST_REMARK = 2_000


class ApprovalError(DomainError):
    """This campaign cannot be asked about, or decided on, like this."""

    code = "approval"


@transaction.atomic
def request_approval(*, campaign_id: UUID, actor: Actor, now: datetime) -> CampaignApproval:
    """Ask a second person to look at a draft; asked again, it is the same request.

    Raises ApprovalError for what is no draft, is approved already, or has something to mend first.
    """
    campaign = _locked(campaign_id)
    if campaign.status != CampaignStatus.DRAFT:
        raise ApprovalError("Only a draft is looked at before it starts.", path="status")
    standing = standing_approval(campaign)
    if standing is not None and standing.status == ApprovalStatus.REQUESTED:
        return standing
    if standing is not None:
        raise ApprovalError("It is approved already as it stands.")
    found = preflight(campaign, now=now, is_starting=campaign.scheduled_at is None)
    for each in found.findings:
        if each.level == Level.RED and each.code not in APPROVAL_CODES:
            raise ApprovalError(f"Mend this first: {each.message}", path=each.path)
    undo_approvals(campaign)
    approval = CampaignApproval.objects.create(
        campaign=campaign,
        fingerprint=fingerprint(campaign),
        recipient_count=found.reach.people if found.reach else 0,
        review=review_of(found),
        requested_by=actor.id,
        requested_at=now,
    )
    audit.record("REQUEST_APPROVAL", campaign, actor=actor)
    return approval


@transaction.atomic
def approve_campaign(
    *, campaign_id: UUID, actor: Actor, now: datetime, remark: str | None = None
) -> CampaignApproval:
    """Agree to a campaign as it stands. Never one's own."""
    campaign = _locked(campaign_id)
    approval = _open_request(campaign, actor)
    found = preflight(campaign, now=now, is_starting=campaign.scheduled_at is None)
    approval.review = review_of(found)
    approval.recipient_count = found.reach.people if found.reach else 0
    _decide(approval, ApprovalStatus.APPROVED, actor, now, remark)
    audit.record("APPROVE", campaign, actor=actor, metadata=_told(approval))
    return approval


@transaction.atomic
def return_campaign(
    *, campaign_id: UUID, actor: Actor, now: datetime, remark: str
) -> CampaignApproval:
    """Give it back with a remark on what is to be changed."""
    if not remark.strip():
        raise ApprovalError("Say what is to be changed.", path="remark")
    campaign = _locked(campaign_id)
    approval = _open_request(campaign, actor)
    _decide(approval, ApprovalStatus.RETURNED, actor, now, remark)
    audit.record("RETURN", campaign, actor=actor, metadata=_told(approval))
    return approval


def waiting_for(actor: Actor) -> QuerySet[CampaignApproval]:
    """Requests that this person may decide on; whose campaign was changed since is not among them
    for long: the edit undid it."""
    found: QuerySet[CampaignApproval] = (
        CampaignApproval.objects.filter(
            status=ApprovalStatus.REQUESTED,
            campaign__status=CampaignStatus.DRAFT,
            campaign__deleted_at__isnull=True,
        )
        .exclude(requested_by=actor.id)
        .exclude(campaign__created_by=actor.id)
    )
    return found


def is_own(campaign: Campaign, approval: CampaignApproval, actor: Actor) -> bool:
    return actor.id in (approval.requested_by, campaign.created_by)


def review_of(found: Preflight) -> dict[str, Any]:
    """What the review showed, to be kept."""
    return {
        "findings": [asdict(each) for each in found.findings],
        "reach": asdict(found.reach) if found.reach else None,
    }


def _open_request(campaign: Campaign, actor: Actor) -> CampaignApproval:
    if not actor.id.startswith("user:"):
        raise ApprovalError("A person has to look at it: sign in to decide.", code="not_a_person")
    approval = campaign.approvals.filter(status=ApprovalStatus.REQUESTED).first()
    if approval is None:
        raise ApprovalError("Nobody asks for approval of this campaign just now.")
    if approval.fingerprint != fingerprint(campaign):
        raise ApprovalError("It was changed since it was asked about: let it be asked anew.")
    if is_own(campaign, approval, actor):
        raise ApprovalError("A second person has to look at it, not you.", code="own_campaign")
    found: CampaignApproval = approval
    return found


def _decide(
    approval: CampaignApproval, status: ApprovalStatus, actor: Actor, now: datetime,
    remark: str | None,
) -> None:  # fmt: skip
    if remark and len(remark) > LONGEST_REMARK:
        raise ApprovalError(f"At most {LONGEST_REMARK:,} characters, please.", path="remark")
    approval.status, approval.remark = status, (remark or "").strip() or None
    approval.decided_by, approval.decided_at = actor.id, now
    approval.save()


def _told(approval: CampaignApproval) -> dict[str, Any]:
    return {"approvalId": str(approval.pk), "remark": approval.remark}


def _locked(campaign_id: UUID) -> Campaign:
    campaign = Campaign.objects.live().select_for_update().filter(pk=campaign_id).first()
    if campaign is None:
        raise ApprovalError("There is no such campaign.", code=NOT_FOUND)
    found: Campaign = campaign
    return found
