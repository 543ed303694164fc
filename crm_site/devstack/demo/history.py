"""Living through the year: events taken in as they come, campaigns sent when their day is there."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from campaigns.choices import CampaignStatus, DeliveryState
from campaigns.models import Campaign, CampaignRun, Delivery
from campaigns.services.dispatch import send_due
from campaigns.services.lifecycle import start_campaign
from crm_site.audit.actor import Actor, acting_as
from crm_site.devstack.demo.calendar import at
from crm_site.devstack.demo.cloudevents import Event, iso
from crm_site.devstack.demo.plans import CampaignPlan
from crm_site.devstack.demo.results import SentMessage, results
from crm_site.devstack.refreshing import refresh_now
from crm_site.tenancy.context import require_tenant_id
from customers.sync.ingest import receive
from customers.sync.processing import BATCH_SIZE, lock_processing, process_batch
from segments.models import CustomerSegment

SENDING_SECONDS = 60
PROCESSING = Actor.system("customers.process_events")
Tell = Callable[[str], None]
DATE_FIRST_SEEN = """
UPDATE customers_customerprofile AS customer SET created_at = told.first_at
FROM (SELECT customer_id, min(occurred_at) AS first_at FROM customers_synclog
      WHERE tenant_id = %(tenant)s GROUP BY customer_id) AS told
WHERE customer.tenant_id = %(tenant)s AND customer.id = told.customer_id
  AND told.first_at < customer.created_at
"""


def live_through(
    events: Sequence[Event], plans: Sequence[CampaignPlan], *, today: date, actor: Actor, tell: Tell
) -> None:
    """Take in a year of ``events`` (oldest first) and send ``plans`` on their days between them.

    Results of a campaign join the events still to come. The tenant is in scope.
    """
    rest = list(events)
    until = at(today, time(0))
    for plan in sorted(plans, key=lambda plan: plan.moment(today)):
        moment = plan.moment(today)
        past, rest = _split(rest, moment)
        take_in(past)
        sent = send_past_campaign(plan, moment=moment, actor=actor)
        tell(f"{moment:%d %b %Y}: “{plan.name}” went out, {len(sent):,} messages.")
        came = results(plan, sent, moment=moment, until=until)
        rest = sorted(rest + came, key=lambda event: (event["time"], event["id"]))
    take_in(rest)


def take_in(events: Sequence[Event]) -> None:
    """Receive and process events by the thousand, as a worker would."""
    for start in range(0, len(events), BATCH_SIZE):
        with transaction.atomic():
            receipt = receive(events[start : start + BATCH_SIZE])
        if receipt.rejected:
            first = receipt.rejected[0]
            raise ValueError(f"The demo tells of an impossible event: {first.message}")
        with acting_as(PROCESSING), transaction.atomic():
            lock_processing()
            process_batch(now=timezone.now())


@transaction.atomic
def date_first_seen() -> None:
    """Everybody is known since the first event about them, not since the demo was made."""
    with connection.cursor() as cursor:
        cursor.execute(DATE_FIRST_SEEN, {"tenant": require_tenant_id()})


def send_past_campaign(plan: CampaignPlan, *, moment: datetime, actor: Actor) -> list[SentMessage]:
    """Start and send one campaign as workers do, then date it to its moment. Returns what left."""
    with transaction.atomic():
        segment = CustomerSegment.objects.live().get(name=plan.segment)
        campaign = Campaign.objects.filter(name=plan.name).first() or _draft(plan, segment, actor)
    if campaign.status == CampaignStatus.DRAFT:
        refresh_now(segment.pk)
        with transaction.atomic():
            start_campaign(campaign_id=campaign.pk, actor=actor)
    send_due(require_tenant_id(), seconds=SENDING_SECONDS)
    with transaction.atomic():
        _date_back(campaign.pk, moment)
        return _sent(campaign.pk)


def _draft(plan: CampaignPlan, segment: CustomerSegment, actor: Actor) -> Campaign:
    made: Campaign = Campaign.objects.create(
        name=plan.name,
        description=plan.description,
        segment=segment,
        channels=list(plan.templates),
        email_template_id=plan.templates.get("EMAIL"),
        sms_template_id=plan.templates.get("SMS"),
        goal_activity_type=plan.goal,
        goal_days=plan.goal_days,
        goal_has_revenue=plan.goal == "TEETIME_BOOKED",
        timezone="Africa/Johannesburg",
        created_by=actor.id,
    )
    return made


def _date_back(campaign_id: UUID, moment: datetime) -> None:
    """What was sent just now was sent at ``moment``: the only licence the demo takes with time."""
    started_at = Campaign.objects.get(pk=campaign_id).started_at
    if started_at is None or started_at == moment:
        return  # Done already.
    shift = moment - started_at
    planned = shift - timedelta(days=2)
    Campaign.objects.filter(pk=campaign_id).update(
        created_at=F("created_at") + planned, **_moved(shift, "started_at", "completed_at")
    )
    CampaignRun.objects.filter(campaign_id=campaign_id).update(
        **_moved(shift, "occurrence_at", "snapshot_at", "started_at", "completed_at", "created_at")
    )
    Delivery.objects.filter(campaign_id=campaign_id).update(
        **_moved(shift, "due_at", "first_requested_at", "settled_at", "created_at")
    )


def _moved(shift: timedelta, *fields: str) -> dict[str, object]:
    return {name: F(name) + shift for name in fields}


def _sent(campaign_id: UUID) -> list[SentMessage]:
    rows = Delivery.objects.filter(
        campaign_id=campaign_id,
        state=DeliveryState.ACCEPTED,
        customer__messaging_contact_id__isnull=False,
    ).values_list("pk", "run_id", "channel", "message_id", "customer__messaging_contact_id")
    return [
        SentMessage(
            contact or "",
            channel,
            message_id or "",
            {"campaignId": str(campaign_id), "runId": str(run_id), "deliveryId": str(pk)},
        )
        for pk, run_id, channel, message_id, contact in rows
    ]


def _split(events: list[Event], moment: datetime) -> tuple[list[Event], list[Event]]:
    limit = iso(moment)
    past = [event for event in events if event["time"] < limit]
    return past, events[len(past) :]
