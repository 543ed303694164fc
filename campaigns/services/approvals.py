"""Whether a second person has agreed to a campaign as it stands."""

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from campaigns.choices import ApprovalStatus
from campaigns.models import Campaign, CampaignApproval
from campaigns.models.campaign import COUNTERS
from campaigns.services.crowd import Crowd
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant
from segments.models import CustomerSegment

# What may differ from what was looked at: where it stands, what came of it, and our own words.
_BESIDE_THE_POINT = frozenset(
    {*COUNTERS, "id", "tenant", "status", "name", "description", "started_at", "completed_at",
     "created_at", "updated_at", "created_by", "deleted_at", "stopped_reason"}
)  # fmt: skip
STANDING = (ApprovalStatus.REQUESTED, ApprovalStatus.APPROVED)


def is_asked_for(people: int) -> bool:
    """Whether the tenant in scope wants a second person to look before so many hear."""
    above = Tenant.objects.get(pk=require_tenant_id()).approval_above
    return above is not None and people > above


def fingerprint(campaign: Campaign) -> str:
    """The same as long as nothing is changed that decides who hears what, and when.

    The rules of its segments are part of it: they are how one says whom it is for.
    """
    crowd = Crowd.of(campaign)
    segments = CustomerSegment.objects.filter(pk__in=[*crowd.included, *crowd.excluded])
    related: list[Any] = list(
        segments.order_by("pk").values_list("pk", "criteria", "combinator", "type")
    )
    variants = list(
        campaign.variants.order_by("position").values_list(
            "name", "share", "email_template_id", "sms_template_id", "push_template_id", "send_hour"
        )
    )
    own = {
        each.attname: getattr(campaign, each.attname)
        for each in Campaign._meta.concrete_fields
        if each.name not in _BESIDE_THE_POINT
    }
    whole = [own, crowd.included, crowd.excluded, related, variants]
    text = json.dumps(whole, cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def newest_approval(campaign: Campaign) -> CampaignApproval | None:
    return campaign.approvals.order_by("-requested_at").first()


def standing_approval(campaign: Campaign) -> CampaignApproval | None:
    """The newest request or approval, as long as it is about the campaign as it is."""
    newest = newest_approval(campaign)
    if newest is None or newest.status not in STANDING:
        return None
    return newest if newest.fingerprint == fingerprint(campaign) else None


def is_approved(campaign: Campaign) -> bool:
    found = standing_approval(campaign)
    return found is not None and found.status == ApprovalStatus.APPROVED


def undo_approvals(campaign: Campaign) -> int:
    """An edit: what was asked for or agreed to is no longer there."""
    return campaign.approvals.filter(status__in=STANDING).update(status=ApprovalStatus.UNDONE)
