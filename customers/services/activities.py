"""Writing the timeline, and what it adds up to on the profile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.db.rows import insert_rows
from crm_site.errors import NOT_FOUND, DomainError
from crm_site.messaging.channels import Channel
from customers.choices import ActivityCategory
from customers.models import Activity, CustomerProfile
from customers.services.changes import tell_changed
from customers.services.counters import COUNTERS, PASSIVE_TYPES, recent_counts
from customers.services.lifecycle import stage_after_activity
from customers.signals import activities_recorded

OWN_SOURCE = "crm"


class ActivityError(DomainError):
    """An activity cannot be recorded like this."""


@dataclass(frozen=True)
class NewActivity:
    """Something to put on a timeline. ``title`` reads well to club staff.

    ``amount`` is what it adds to the customer's lifetime value, in cents, a refund below zero.
    """

    type: str
    category: ActivityCategory
    title: str
    channel: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    source_id: str | None = None
    amount: Decimal | None = None


def note_on_profile(profile: CustomerProfile, activity: Activity) -> None:
    """Move the profile's "last …" moments and its stage for one activity. Saves nothing.

    The latest moment wins, so the order in which activities arrive does not matter.
    """
    kind, at, is_email = activity.type, activity.occurred_at, activity.channel == Channel.EMAIL
    is_theirs = kind not in PASSIVE_TYPES and activity.category != ActivityCategory.SYSTEM
    if is_theirs and _is_latest(profile, at, kind):
        profile.last_activity_at, profile.last_activity_type = at, kind
    if kind == "TEETIME_BOOKED":
        profile.last_booking_at = max(profile.last_booking_at or at, at)
    if kind == "MESSAGE_OPENED" and is_email:
        profile.last_email_open_at = max(profile.last_email_open_at or at, at)
    if kind == "MESSAGE_CLICKED" and is_email:
        profile.last_email_click_at = max(profile.last_email_click_at or at, at)
    profile.lifecycle_stage = stage_after_activity(profile.lifecycle_stage, kind)


def _is_latest(profile: CustomerProfile, at: datetime, kind: str) -> bool:
    held = profile.last_activity_at
    return held is None or (at, kind) > (held, profile.last_activity_type or "")


def write_activities(
    activities: Sequence[Activity], profiles: Mapping[UUID, CustomerProfile], *, now: datetime
) -> None:
    """Insert activities and renew the counters of their profiles, which the caller then saves."""
    insert_rows(activities)
    counts = recent_counts({activity.customer_id for activity in activities}, now=now)
    for customer_id, values in counts.items():
        for name, value in zip(COUNTERS, values, strict=True):
            setattr(profiles[customer_id], name, value)


def announce(activities: Sequence[Activity]) -> None:
    """Tell the apps above, once per batch; after the profiles are saved."""
    if activities:
        activities_recorded.send(sender=Activity, activities=list(activities))


PROFILE_FIELDS = (
    *("last_activity_at", "last_activity_type", "last_booking_at", "last_email_open_at"),
    *("last_email_click_at", "lifecycle_stage", *COUNTERS),
)


@transaction.atomic
def create_activity(
    *, customer_id: UUID, actor: Actor, occurred_at: datetime | None = None, **values: Any
) -> Activity:
    """Put something staff or an integrator saw on a customer's timeline.

    ``values`` are further fields of Activity. A second one with the same ``source_event_id``, and
    a customer who is not there, raise ActivityError.
    """
    now = timezone.now()
    profile = (
        CustomerProfile.objects.live().select_for_update(no_key=True).filter(pk=customer_id).first()
    )
    if profile is None:
        raise ActivityError("There is no such customer.", path="customer_id", code=NOT_FOUND)
    values = {**values, "source_service": OWN_SOURCE}
    known = values.get("source_event_id")
    if known and Activity.objects.filter(source_service=OWN_SOURCE, source_event_id=known).exists():
        raise ActivityError(
            "An activity with this event id is recorded already.",
            path="source_event_id",
            code="already_exists",
        )
    activity = Activity(
        customer=profile, occurred_at=occurred_at or now, processed_at=now, **values
    )
    note_on_profile(profile, activity)
    write_activities([activity], {profile.pk: profile}, now=now)
    moved = [*PROFILE_FIELDS, "updated_at"]
    profile.save(update_fields=moved)
    tell_changed([profile.pk], columns=moved)
    announce([activity])
    return activity
