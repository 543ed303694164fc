"""SCL: memberships and payments."""

from datetime import date
from decimal import Decimal
from typing import Any

from customers.choices import ActivityCategory
from customers.services.activities import NewActivity
from customers.services.facts import as_date
from customers.services.facts import read_with as read
from customers.sync.events import InboundEvent, Outcome
from customers.sync.reading import date_of, number_of, person_of, required, rest_of, text_of
from customers.sync.registry import handles

MEMBERSHIP = ("membershipTier", "membershipStatus", "memberSince", "membershipExpiry")
MOST_CENTS = 10**10


@handles("scl", "member.created", "member.updated")
def member(event: InboundEvent) -> Outcome:
    facts = person_of(event, also=(*MEMBERSHIP, "externalIds", "lifetimeValue"))
    tier = facts.fields.get("membership_tier")
    if event.type == "member.created":
        title = f"Became a member: {tier}" if tier else "Became a member"
        return Outcome(facts, _membership(event, "MEMBERSHIP_CREATED", title))
    return Outcome(facts, _membership(event, "MEMBERSHIP_UPDATED", "Membership details updated"))


@handles("scl", "member.tierChanged")
def tier_changed(event: InboundEvent) -> Outcome:
    facts = person_of(event, also=MEMBERSHIP)
    before = text_of(event, "from", limit=64)
    tier = required(event, "to", text_of(event, "to", limit=64))
    title = f"Moved from {before} to {tier}" if before else f"Moved to {tier}"
    return Outcome(
        facts.with_fields({"membership_tier": tier}),
        _membership(event, "MEMBERSHIP_TIER_CHANGED", title),
    )


@handles("scl", "member.renewed")
def renewed(event: InboundEvent) -> Outcome:
    """``to`` is the day the membership now runs to."""
    facts = person_of(event, also=MEMBERSHIP)
    known = facts.fields
    said: dict[str, Any] = {"membership_status": known.get("membership_status") or "ACTIVE"}
    expiry = _day(event, "to")
    if expiry:
        said["membership_expiry"] = expiry
    until = expiry or known.get("membership_expiry")
    title = f"Renewed membership until {_spoken(until)}" if until else "Renewed membership"
    return Outcome(facts.with_fields(said), _membership(event, "MEMBERSHIP_RENEWED", title))


@handles("scl", "member.lapsed", "member.resigned")
def ended(event: InboundEvent) -> Outcome:
    facts = person_of(event, also=MEMBERSHIP)
    status, verb = {
        "member.lapsed": ("LAPSED", "Membership lapsed"),
        "member.resigned": ("RESIGNED", "Resigned membership"),
    }[event.type]
    said: dict[str, Any] = {"membership_status": facts.fields.get("membership_status") or status}
    ended_on = date_of(event, "effectiveOn")
    if ended_on and "membership_expiry" not in facts.fields:
        said["membership_expiry"] = ended_on
    title = f"{verb} on {_spoken(ended_on)}" if ended_on else verb
    return Outcome(facts.with_fields(said), _membership(event, f"MEMBERSHIP_{status}", title))


@handles("scl", "payment.received", "payment.refunded")
def payment(event: InboundEvent) -> Outcome:
    facts = person_of(event)
    amount = required(event, "amount", number_of(event, "amount", low=0, high=MOST_CENTS))
    currency = text_of(event, "currency", limit=3) or ""
    reference = text_of(event, "reference", limit=128)
    is_refund = event.type == "payment.refunded"
    verb = "Was refunded" if is_refund else "Paid"
    return Outcome(
        facts,
        NewActivity(
            type="PAYMENT_REFUNDED" if is_refund else "PAYMENT_RECEIVED",
            category=ActivityCategory.FINANCIAL,
            title=f"{verb} {_money(amount, currency)}",
            description=f"Reference {reference}" if reference else None,
            metadata={**rest_of(event), "amount": str(amount)},
            source_id=reference,
            amount=-amount if is_refund else amount,
        ),
    )


def _membership(event: InboundEvent, kind: str, title: str) -> NewActivity:
    return NewActivity(
        type=kind,
        category=ActivityCategory.MEMBERSHIP,
        title=title,
        metadata=rest_of(event),
    )


def _day(event: InboundEvent, name: str) -> date | None:
    """The day of ``data[name]`` where it is one; renewals also say tiers or statuses there."""
    value = event.data.get(name)
    if not isinstance(value, str) or not value[:4].isdigit():
        return None
    day: date = read(as_date, value, path=f"data.{name}")
    return day


def _spoken(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else ""


def _money(cents: Decimal, currency: str) -> str:
    return f"{currency} {cents / 100:,.2f}".strip()
