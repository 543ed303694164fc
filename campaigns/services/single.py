"""One message to one customer, sent by hand, through the same ledger as everything else.

Each is a run of its own of the tenant's one system campaign (docs/decisions, "A message by hand").
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import F

from campaigns.choices import CampaignStatus, CampaignType, DeliveryReason, RunStatus
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services.limits import limits_of
from campaigns.services.reasons import heard_one_by_one, why_not
from campaigns.services.templates import list_templates
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import require_tenant_id
from crm_site.tenancy.models import Tenant
from customers.models import CustomerProfile

NAME = "Single messages"
DESCRIPTION = "Messages that staff send by hand, to one customer at a time."


class SingleMessageError(DomainError):
    """This message cannot be sent to this customer."""


@transaction.atomic
def send_single_message(
    *, customer_id: UUID, channel: str, template_id: str, token: UUID, actor: Actor, now: datetime
) -> Delivery:
    """Put one message into the outbox; workers send it as any other, after one more look.

    ``token`` names the wish: the same one again gives the same message. Raises SingleMessageError
    for nobody, for a template that Messaging does not hold for the channel, for somebody who may
    not be written to (``code`` is the DeliveryReason), and while single messages are paused.
    """
    customer = CustomerProfile.objects.live().filter(pk=customer_id).first()
    if customer is None:
        raise SingleMessageError("There is no such customer.", code=NOT_FOUND)
    _check_template(channel, template_id)
    reason = why_not_now(customer_id=customer_id, channel=channel, now=now)
    if reason is not None:
        words = f"{customer.name} is not written to by {Channel(channel).label}: "
        raise SingleMessageError(
            f"{words}{reason.label.lower()}.", path="channel", code=reason.value
        )
    campaign = _system_campaign(actor, now)
    run_id = uuid5(campaign.pk, f"{customer_id}:{channel}:{template_id}:{token}")
    run, is_new = CampaignRun.objects.get_or_create(
        pk=run_id,
        defaults={
            "campaign": campaign,
            "occurrence_at": now,
            "status": RunStatus.SENDING,
            "target_count": 1,
            "snapshot_at": now,
            "started_at": now,
            "created_by": actor.id,
        },
    )
    if not is_new:
        return Delivery.objects.get(run=run)
    delivery = Delivery.objects.create(
        campaign=campaign,
        run=run,
        customer=customer,
        channel=channel,
        template_id=template_id,
        idempotency_key=f"run:{run.pk}:{customer_id}:{channel}",
        due_at=now,
    )
    Campaign.objects.filter(pk=campaign.pk).update(target_count=F("target_count") + 1)
    metadata = {"channel": channel, "templateId": template_id, "deliveryId": str(delivery.pk)}
    audit.record("SEND", customer, actor=actor, metadata=metadata)
    return delivery


def why_not_now(*, customer_id: UUID, channel: str, now: datetime) -> DeliveryReason | None:
    """Why a customer of the tenant in scope may not be written to over a channel; None if they may.

    The same expression as for a campaign's audience, caps included.
    """
    tenant = Tenant.objects.get(pk=require_tenant_id())
    verdict = why_not(channel, limits_of(tenant), heard_one_by_one("p.id", "%(channel)s"))
    statement = (
        f"SELECT {verdict} FROM customers_customerprofile p "  # noqa: S608 - our own column names
        "WHERE p.tenant_id = %(tenant)s AND p.id = %(customer)s"
    )
    values: dict[str, Any] = {
        **{"tenant": tenant.pk, "customer": customer_id, "channel": channel, "now": now}
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        return DeliveryReason.INACTIVE
    return DeliveryReason(row[0]) if row[0] else None


def _check_template(channel: str, template_id: str) -> None:
    known = list_templates()
    if not known.is_known:
        raise SingleMessageError("Messaging cannot be asked for its templates just now.")
    if not known.holds(channel, template_id):
        raise SingleMessageError(
            "Messaging has no such template for this channel.", path="template_id", code="invalid"
        )


def _system_campaign(actor: Actor, now: datetime) -> Campaign:
    campaign, _ = Campaign.objects.live().get_or_create(
        is_system=True,
        deleted_at=None,
        defaults={
            "name": NAME,
            "description": DESCRIPTION,
            "type": CampaignType.TRIGGERED,
            "status": CampaignStatus.ACTIVE,
            "channels": list(TEMPLATE_FIELDS),
            "started_at": now,
            "created_by": actor.id,
        },
    )
    if campaign.status != CampaignStatus.ACTIVE:
        raise SingleMessageError(
            f"Single messages are paused: resume the campaign “{campaign.name}” first.",
            code="paused",
        )
    found: Campaign = campaign
    return found
