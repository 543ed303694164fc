"""Why somebody is not written to: the one expression that everything asks.

The count on the review page, the snapshot and the last look before a message leaves all use it, so
they cannot disagree.
"""

from collections.abc import Callable

from campaigns.choices import DeliveryReason
from campaigns.services.draws import share
from campaigns.services.limits import OPENS_ARE_KNOWN, Limits
from crm_site.messaging.channels import Channel
from customers.choices import CustomerStatus
from customers.models.profile import CONSENT_FLAGS

# Where a channel finds somebody: columns of the profile.
ADDRESSES = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone_number",
    Channel.WHATSAPP: "phone_number",
    Channel.PUSH: "auth_user_id",
    Channel.IN_APP: "auth_user_id",
}

# SQL for how many messages somebody had over a channel within so many days.
Heard = Callable[[str, int], str]


def why_not(channel: str, limits: Limits, heard: Heard, *further: str) -> str:
    """SQL that gives a DeliveryReason, or NULL for somebody who may be written to.

    The customer's row is ``p``. ``further`` are WHENs that come last. Its value is ``now``.
    """
    flag, address = CONSENT_FLAGS.get(Channel(channel)), ADDRESSES.get(Channel(channel))
    cases = [
        _when("p.merged_at IS NOT NULL", DeliveryReason.MERGED),
        # Deleted, erased, or set aside by staff.
        _when(
            f"p.deleted_at IS NOT NULL OR p.status <> '{CustomerStatus.ACTIVE}'",
            DeliveryReason.INACTIVE,
        ),
        # A channel without a consent flag has nobody's consent.
        _when(f"NOT p.{flag}" if flag else "true", DeliveryReason.NO_CONSENT),
        _when(f"p.{address} IS NULL" if address else "true", DeliveryReason.NO_ADDRESS),
    ]
    if limits.unengaged and channel == OPENS_ARE_KNOWN:
        enough, days = limits.unengaged.messages, limits.unengaged.days
        opened = "greatest(p.last_email_open_at, p.last_email_click_at)"
        silent = f"coalesce({opened} < {days_ago(days)}, true)"
        cases.append(
            _when(f"{silent} AND {heard(channel, days)} >= {enough}", DeliveryReason.SUPPRESSED)
        )
    if cap := limits.caps.get(channel):
        cases.append(_when(f"{heard(channel, cap.days)} >= {cap.messages}", DeliveryReason.CAPPED))
    return f"CASE {' '.join([*cases, *further])} END"


def why_not_by_channel(
    channel_column: str, channels: list[str], limits: Limits, heard: Heard, *further: str
) -> str:
    """The same where each row names its own channel."""
    cases = " ".join(
        f"WHEN '{Channel(channel)}' THEN {why_not(channel, limits, heard, *further)}"
        for channel in channels
    )
    return f"CASE {channel_column} {cases} ELSE '{DeliveryReason.NO_CONSENT}' END"


def held_out_when(draw: str, percent: int) -> str:
    """A last WHEN for those whose ``draw`` falls to the hold-out."""
    return _when(f"{draw} < {share(percent)}", DeliveryReason.HELD_OUT)


def quiet_when(condition: str) -> str:
    """A last WHEN for those who are not to be disturbed, where the campaign does not wait."""
    return _when(condition, DeliveryReason.QUIET_HOURS)


def days_ago(days: int) -> str:
    return f"%(now)s::timestamptz - interval '{int(days)} days'"


def heard_one_by_one(customer: str, channel: str, besides: str | None = None) -> Heard:
    """For the hundreds of a claim: looked up by the index on the customer.

    What was asked for and not answered yet counts as heard. ``besides``: a delivery's id that does
    not count.
    """
    other = f"AND x.id <> {besides} " if besides else ""

    def heard(_: str, days: int) -> str:
        since = days_ago(days)
        return (
            "(SELECT count(*) FROM campaigns_delivery x "  # noqa: S608 - our own column names
            f"WHERE x.customer_id = {customer} AND x.channel = {channel} {other}"
            f"AND (x.state = 'ACCEPTED' AND x.settled_at > {since} "
            f"OR x.state IN ('CLAIMED', 'UNKNOWN') AND x.first_requested_at > {since}))"
        )

    return heard


def heard_by_everybody(limits: Limits) -> tuple[Heard, str]:
    """For a million: an expression and the join that it needs, of one pass over what was sent.

    The join has columns ``p.id`` and ``c.channel`` to its left, and takes ``now`` and ``tenant``.
    """
    if not limits.windows:
        return lambda channel, days: "0", ""
    counts = ", ".join(
        f"count(*) FILTER (WHERE settled_at > {days_ago(days)}) AS within_{int(days)}"
        for days in sorted(limits.windows)
    )
    join = (
        f"LEFT JOIN (SELECT customer_id, channel, {counts} FROM campaigns_delivery "  # noqa: S608 - our own column names
        "WHERE tenant_id = %(tenant)s AND state = 'ACCEPTED' "
        f"AND settled_at > {days_ago(max(limits.windows))} GROUP BY customer_id, channel) h "
        "ON h.customer_id = p.id AND h.channel = c.channel"
    )
    return lambda channel, days: f"coalesce(h.within_{int(days)}, 0)", join


def _when(condition: str, reason: DeliveryReason) -> str:
    return f"WHEN {condition} THEN '{reason}'"
