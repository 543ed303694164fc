"""Test messages to staff and seeds: the same template, the same gateway, outside every figure.

Only staff and the club's own test recipients: a test is no way round consent.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from campaigns.channels import has_sender, sender_for
from campaigns.choices import DeliveryState
from campaigns.models import Campaign, SeedRecipient, TrialMessage
from campaigns.models.campaign import TEMPLATE_FIELDS
from campaigns.services.dispatch import may_send
from campaigns.services.templates import list_templates
from campaigns.services.variables import variables_for
from crm_site.access.models import TenantMembership
from crm_site.access.services import tenant_in_scope
from crm_site.audit import services as audit
from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import Message, MessagingError, Recipient, Result, Status
from crm_site.tenancy.context import require_tenant_id

MOST_AT_ONCE = 50
MOST_A_DAY = 200
ATTEMPT_LIMIT = 5
LEASE, RETRY_AFTER = timedelta(minutes=2), timedelta(seconds=20)
SEED_ADDRESS = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone_number",
    Channel.PUSH: "auth_user_id",
}


class TrialError(DomainError):
    """This test cannot be sent."""

    code = "test_send"


@transaction.atomic
def request_trial(
    *,
    campaign_id: UUID,
    seed_ids: Iterable[UUID],
    user_ids: Iterable[int],
    actor: Actor,
    channels: Iterable[str] | None = None,
    customer_id: UUID | None = None,
) -> list[TrialMessage]:
    """Put test messages into the outbox: to each person, over each channel they have an address
    for. ``customer_id``: fill the template in as for that customer.

    Raises TrialError for nobody, somebody unknown, a channel without a template, and too many.
    """
    campaign = Campaign.objects.live().select_for_update().filter(pk=campaign_id).first()
    if campaign is None:
        raise TrialError("There is no such campaign.", code=NOT_FOUND)
    chosen = list(dict.fromkeys(campaign.channels if channels is None else channels))
    templates = {channel: _template(campaign, channel) for channel in chosen}
    if not templates:
        raise TrialError("Choose a channel and its template first.", path="channels")
    variables = variables_for(campaign, customer_id)
    trials = [
        TrialMessage(
            campaign=campaign, channel=channel, template_id=template, recipient_name=name,
            address=address, variables=variables, requested_by=actor.id,
        )
        for name, addresses in _people(list(seed_ids), list(user_ids))
        for channel, template in templates.items()
        if (address := addresses.get(Channel(channel)))
    ]  # fmt: skip
    if not trials:
        raise TrialError("None of them has an address for these channels.", path="seed_ids")
    _refuse_too_many(campaign, len(trials))
    TrialMessage.objects.bulk_create(trials)
    audit.record("TEST_SEND", campaign, actor=actor, metadata={"messages": len(trials)})
    return trials


def staff_of_tenant() -> QuerySet[TenantMembership]:
    """Who may be sent a test because they work here."""
    found: QuerySet[TenantMembership] = TenantMembership.objects.filter(
        user__is_active=True
    ).select_related("user")
    return found


def open_trials(now: datetime) -> QuerySet[TrialMessage]:
    """What is to be sent, or asked again about with the same key."""
    found: QuerySet[TrialMessage] = TrialMessage.objects.filter(
        Q(state=DeliveryState.PENDING)
        | Q(state__in=[DeliveryState.CLAIMED, DeliveryState.UNKNOWN], leased_until__lte=now),
        attempts__lt=ATTEMPT_LIMIT,
    )
    return found


def send_trials() -> int:
    """Send the open test messages of the tenant in scope: claim, call, record. Returns how many."""
    with transaction.atomic():
        claimed = _claim(timezone.now())
    for channel, group in groupby(claimed, key=lambda each: each.channel):
        trials = list(group)
        try:
            results = sender_for(channel).send_batch(
                require_tenant_id(), [_message(each) for each in trials]
            )
        except MessagingError as error:
            with transaction.atomic():
                _record_doubt(trials, str(error), timezone.now())
            continue
        with transaction.atomic():
            for trial, result in zip(trials, results, strict=True):
                _record(trial, result, timezone.now())
    return len(claimed)


def _template(campaign: Campaign, channel: str) -> str:
    label = Channel(channel).label
    if channel not in TEMPLATE_FIELDS or not has_sender(channel):
        raise TrialError(f"{label} cannot be sent over yet.", path="channels")
    template = campaign.template_for(channel)
    path = TEMPLATE_FIELDS[Channel(channel)]
    if not template:
        raise TrialError(f"No template is chosen for {label}.", path=path)
    known = list_templates()
    if known.is_known and not known.holds(channel, template):
        raise TrialError(f"Messaging holds no {label} template “{template}”.", path=path)
    return template


def _people(
    seed_ids: list[UUID], user_ids: list[int]
) -> list[tuple[str, dict[Channel, str | None]]]:
    seeds = SeedRecipient.objects.filter(pk__in=seed_ids, is_active=True)
    staff = staff_of_tenant().filter(user_id__in=user_ids)
    if len(seeds) != len(set(seed_ids)):
        raise TrialError("One of these test recipients does not exist.", path="seed_ids")
    if len(staff) != len(set(user_ids)):
        raise TrialError("One of these people does not work here.", path="staff_ids")
    if not seeds and not staff:
        raise TrialError("Choose who is to get it.", path="seed_ids")
    by_seed = [
        (each.name, {channel: getattr(each, field) for channel, field in SEED_ADDRESS.items()})
        for each in seeds
    ]
    by_staff = [(str(each.user), {Channel.EMAIL: each.user.email}) for each in staff]
    return [*by_staff, *by_seed]


def _refuse_too_many(campaign: Campaign, count: int) -> None:
    since = timezone.now() - timedelta(days=1)
    today = campaign.trials.filter(created_at__gte=since).count()
    if count > MOST_AT_ONCE or today + count > MOST_A_DAY:
        raise TrialError(
            f"At most {MOST_AT_ONCE} test messages at once and {MOST_A_DAY} a day.", path="seed_ids"
        )


def _claim(now: datetime) -> list[TrialMessage]:
    if not may_send(tenant_in_scope(), now):
        return []
    rows = open_trials(now).select_for_update(skip_locked=True).order_by("channel", "created_at")
    claimed = list(rows[:MOST_A_DAY])
    for trial in claimed:
        trial.state, trial.leased_until = DeliveryState.CLAIMED, now + LEASE
        trial.attempts += 1
    TrialMessage.objects.bulk_update(claimed, ["state", "leased_until", "attempts"])
    return claimed


def _message(trial: TrialMessage) -> Message:
    to = {
        Channel.EMAIL: "email",
        Channel.SMS: "phone_number",
        Channel.PUSH: "auth_user_id",
    }[Channel(trial.channel)]
    key = f"test:{trial.pk}"
    return Message(
        idempotency_key=key,
        channel=Channel(trial.channel),
        template_id=trial.template_id,
        # No customer's id: nothing of it is to reach anybody's timeline.
        to=Recipient(customer_id=key, **{to: trial.address}),
        variables=trial.variables,
        metadata={"isTest": "true", "testId": str(trial.pk)},
    )


def _record(trial: TrialMessage, result: Result, now: datetime) -> None:
    if result.status == Status.ACCEPTED:
        trial.state, trial.message_id, trial.error = (
            DeliveryState.ACCEPTED, result.message_id, None,
        )  # fmt: skip
    elif result.status == Status.IN_PROGRESS:
        _record_doubt([trial], "Messaging is still at work on it.", now)
        return
    else:
        trial.state, trial.error = DeliveryState.REJECTED, result.reason or str(result.status)
    trial.save(update_fields=["state", "message_id", "error", "updated_at"])


def _record_doubt(trials: list[TrialMessage], words: str, now: datetime) -> None:
    for trial in trials:
        trial.state, trial.error = DeliveryState.UNKNOWN, words
        trial.leased_until = now + RETRY_AFTER
    TrialMessage.objects.bulk_update(trials, ["state", "error", "leased_until"])
