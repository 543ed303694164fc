"""Opt-in flags, written here and nowhere else: what Messaging last said, per channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from crm_site.audit.actor import Actor
from crm_site.db.rows import to_json
from crm_site.messaging.channels import Channel
from crm_site.tenancy.context import local_settings, require_tenant_id
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FIELDS, CONSENT_FLAGS
from customers.services.changes import tell_changed
from customers.signals import consent_changed


@dataclass(frozen=True)
class Preference:
    """What a person decided about one channel, and when."""

    channel: Channel
    is_opted_in: bool
    changed_at: datetime


# Only what is newer than what is held. A withdrawal has no time of opting in.
APPLY = """
UPDATE customers_customerprofile AS held
   SET {flag} = told.allowed,
       {flag}_at = CASE WHEN told.allowed THEN told.changed_at END,
       {changed_at} = told.changed_at,
       updated_at = now(), updated_by = %(actor)s
  FROM json_to_recordset(%(told)s::json) AS told(id uuid, allowed boolean, changed_at timestamptz),
       customers_customerprofile AS before
 WHERE held.tenant_id = %(tenant)s AND held.id = told.id AND before.id = told.id
   AND (held.{changed_at} IS NULL OR held.{changed_at} < told.changed_at)
RETURNING held.id, told.allowed, before.{flag}
"""


def apply_preferences(told: Iterable[tuple[UUID, Preference]], *, actor: Actor) -> int:
    """Set the flags people asked for, where newer than what is held. Returns how many rows moved.

    One statement per channel. Sends ``consent_changed`` for each flag that is another than before.
    """
    newest: dict[Channel, dict[UUID, Preference]] = {}
    for customer_id, preference in told:
        held = newest.setdefault(preference.channel, {})
        # Of two at one moment a withdrawal counts, whichever came first.
        if customer_id not in held or _rank(preference) > _rank(held[customer_id]):
            held[customer_id] = preference
    return sum(_apply(channel, by_customer, actor=actor) for channel, by_customer in newest.items())


def _rank(preference: Preference) -> tuple[datetime, bool]:
    return preference.changed_at, not preference.is_opted_in


def _apply(channel: Channel, told: dict[UUID, Preference], *, actor: Actor) -> int:
    flag = CONSENT_FLAGS[channel]
    statement = APPLY.format(
        flag=flag, changed_at=f"{flag.removesuffix('_opt_in')}_consent_changed_at"
    )
    rows = [
        {"id": customer_id, "allowed": said.is_opted_in, "changed_at": said.changed_at}
        for customer_id, said in told.items()
    ]
    values = {"told": to_json(rows), "tenant": require_tenant_id(), "actor": actor.id}
    with local_settings(consent_writer="messaging"), connection.cursor() as cursor:
        cursor.execute(statement, values)
        moved = cursor.fetchall()
    tell_changed(
        [row[0] for row in moved], columns=(flag, f"{flag}_at", "updated_at", "updated_by")
    )
    turned = {row[0]: row[1] for row in moved if row[1] != row[2]}
    for profile in CustomerProfile.objects.filter(pk__in=turned) if turned else ():
        consent_changed.send(
            sender=CustomerProfile, profile=profile, channel=channel, allowed=turned[profile.pk]
        )
    return len(moved)


@dataclass(frozen=True)
class ConsentState:
    """What is held of one channel: the flag, since when it stands, and the last word's moment."""

    is_opted_in: bool
    opted_in_at: datetime | None
    changed_at: datetime | None


Consents = dict[Channel, ConsentState]


def consents_of(profile: CustomerProfile) -> Consents:
    return {
        channel: ConsentState(*(getattr(profile, name) for name in _columns(flag)))
        for channel, flag in CONSENT_FLAGS.items()
    }


def stricter_consents(first: Consents, second: Consents) -> Consents:
    return {channel: _stricter(first[channel], second[channel]) for channel in CONSENT_FLAGS}


def _stricter(first: ConsentState, second: ConsentState) -> ConsentState:
    """Yes only where both say yes; of the moments the last, so that nothing older undoes it."""
    moments = [each.changed_at for each in (first, second) if each.changed_at is not None]
    if first.is_opted_in and second.is_opted_in:
        since = [each.opted_in_at for each in (first, second) if each.opted_in_at is not None]
        return ConsentState(True, max(since, default=None), max(moments, default=None))
    return ConsentState(False, None, max(moments, default=None))


def write_consent(profile: CustomerProfile, states: Consents) -> None:
    """Write what a merge, or its undoing, makes of consent; tells apps above whose flag turned.

    ``profile`` is changed in place. Not for what Messaging says: ``apply_preferences``.
    """
    turned = []
    for channel, state in states.items():
        flag = CONSENT_FLAGS[channel]
        if getattr(profile, flag) != state.is_opted_in:
            turned.append(channel)
        for name, value in zip(
            _columns(flag), (state.is_opted_in, state.opted_in_at, state.changed_at), strict=True
        ):
            setattr(profile, name, value)
    with local_settings(consent_writer="messaging"):
        profile.save(update_fields=CONSENT_FIELDS)
    for channel in turned:
        consent_changed.send(
            sender=CustomerProfile, profile=profile, channel=channel,
            allowed=profile.has_consent(channel),
        )  # fmt: skip


def _columns(flag: str) -> tuple[str, str, str]:
    return flag, f"{flag}_at", f"{flag.removesuffix('_opt_in')}_consent_changed_at"
