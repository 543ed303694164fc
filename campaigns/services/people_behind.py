"""Who is behind a number of a campaign's results."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from campaigns.choices import CampaignInteractionType, DeliveryReason, DeliveryState, Dimension
from campaigns.models import Campaign, CampaignInteraction, Delivery
from campaigns.services.breakdowns import LAST_HOUR
from crm_site.errors import DomainError
from segments.models import CustomerSegmentMembership

SENT, HELD_OUT = "SENT", "HELD_OUT"
# What a number counts: messages of the ledger, or messages with such an interaction.
STEPS = {
    SENT: "Sent",
    **{
        each.value: each.label
        for each in CampaignInteractionType
        if each != CampaignInteractionType.SENT
    },
    HELD_OUT: "Held out",
}


class NumberError(DomainError):
    """There is no such number."""


def people_behind(
    campaign: Campaign, *, step: str, by: Mapping[Dimension, str], after: UUID | None, most: int
) -> list[UUID]:
    """Ids of at most ``most`` people behind a number, in order, from beyond ``after``.

    ``step`` is one of STEPS; ``by`` narrows it as the breakdowns do. Raises NumberError for a step
    or a value that cannot be.
    """
    if step not in STEPS:
        raise NumberError("There is no such step.", path="step")
    rows = _deliveries(campaign, step) if step in (SENT, HELD_OUT) else _responses(campaign, step)
    for dimension, value in by.items():
        rows = _narrow(rows, dimension, value)
    if after is not None:
        rows = rows.filter(customer_id__gt=after)
    ids = rows.order_by("customer_id").values_list("customer_id", flat=True).distinct()
    return list(ids[:most])


def _deliveries(campaign: Campaign, step: str) -> QuerySet[Any]:
    rows = Delivery.objects.filter(campaign=campaign)
    if step == SENT:
        return rows.filter(state=DeliveryState.ACCEPTED)
    return rows.filter(state=DeliveryState.SUPPRESSED, reason=DeliveryReason.HELD_OUT)


def _responses(campaign: Campaign, step: str) -> QuerySet[Any]:
    return CampaignInteraction.objects.filter(campaign=campaign, type=step)


def _narrow(rows: QuerySet[Any], dimension: Dimension, value: str) -> QuerySet[Any]:
    is_response = rows.model is CampaignInteraction
    match dimension:
        case Dimension.CHANNEL:
            return rows.filter(channel=value)
        case Dimension.TIER:
            return rows.filter(**_known("customer__membership_tier", value))
        case Dimension.SEGMENT:
            return rows.filter(Exists(_memberships(value)))
        case Dimension.TEMPLATE:
            prefix = "delivery__" if is_response else ""
            return rows.filter(**_known(f"{prefix}template_id", value))
        case Dimension.VARIANT:
            prefix = "delivery__" if is_response else ""
            return rows.filter(**_known(f"{prefix}variant_id", value and _id(value, "variant")))
    if not is_response:
        raise NumberError(f"Of what was sent, no {dimension.label.lower()} is known.", path="by")
    if dimension == Dimension.DEVICE:
        return rows.filter(**_known("device_type", value))
    if dimension == Dimension.LINK:
        return rows.filter(link_url=value)
    return _in_hour(rows, value)


def _known(name: str, value: str | UUID) -> dict[str, Any]:
    return {name: value} if value else {f"{name}__isnull": True}


def _id(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise NumberError(f"There is no such {name}.", path=name) from error


def _memberships(value: str) -> QuerySet[Any]:
    return CustomerSegmentMembership.objects.filter(
        segment_id=_id(value, "segment"), customer_id=OuterRef("customer_id")
    )


def _in_hour(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Those whose first such event came in that hour after their sending began."""
    if not value.isdigit() or int(value) > LAST_HOUR:
        raise NumberError(f"Hours go from 0 to {LAST_HOUR}.", path="hour")
    hour = int(value)
    earlier = CampaignInteraction.objects.filter(
        delivery_id=OuterRef("delivery_id"),
        type=OuterRef("type"),
        occurred_at__lt=OuterRef("occurred_at"),
    )
    started = F("delivery__run__started_at")
    rows = rows.filter(~Exists(earlier), delivery__run__started_at__isnull=False)
    if hour:
        rows = rows.filter(occurred_at__gte=started + timedelta(hours=hour))
    if hour < LAST_HOUR:
        rows = rows.filter(occurred_at__lt=started + timedelta(hours=hour + 1))
    return rows
