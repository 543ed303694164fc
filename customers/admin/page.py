"""What the customer page says above its timeline: who this is, and what to know first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from crm_site.backoffice.formats import ago, exactly
from crm_site.backoffice.shell import current_tenant
from crm_site.messaging.channels import Channel
from customers.admin import cells
from customers.admin.owners import said_at, source_of
from customers.admin.panels import panels
from customers.admin.scores_panel import explained
from customers.choices import IdentityAliasType
from customers.models import Activity, CustomerProfile, DuplicateCandidate, ProfileMerge
from customers.services.ownership import OWNER
from customers.services.score_reading import main_reason

EXPIRY_WARNING_DAYS = 20
BOUNCE_MEMORY = timedelta(days=180)
SOURCES = {
    "scl": "SCL",
    "teetime": "TeeTime",
    "messaging": "Messaging",
    "merge": "a merge",
    "crm": "staff",
}
LINKS = {
    "golfRsaId": "GolfRSA number",
    "sclMemberId": "Member number",
    "teetimePlayerId": "TeeTime player",
    "messagingContactId": "Messaging contact",
}


OWN_LINKS = {"scl_member_id", "teetime_player_id", "messaging_contact_id"}
OWN_IDENTIFIERS = (
    ("mail", "E-mail", "email"),
    ("call", "Phone", "phone_number"),
    ("badge", "Member number", "scl_member_id"),
    ("golf_course", "TeeTime player", "teetime_player_id"),
    ("forum", "Messaging contact", "messaging_contact_id"),
    ("login", "Sign-in", "auth_user_id"),
)


@dataclass(frozen=True)
class Chip:
    """One thing the person is known by."""

    icon: str
    label: str
    value: str
    source: str = ""
    verified: str = ""


@dataclass(frozen=True)
class Figure:
    label: str
    value: SafeString | str
    why: str = ""
    tone: str = ""
    percent: int | None = None


@dataclass(frozen=True)
class Notice:
    icon: str
    text: str
    link: str = ""
    link_text: str = ""


def header_of(request: HttpRequest, customer: CustomerProfile) -> dict[str, Any]:
    """Everything the top and the side of the page show, a bounded number of queries."""
    return {
        "customer": customer,
        "avatar": cells.avatar(customer, "is-large"),
        "stage": cells.stage(customer),
        "chips": list(_chips(customer)),
        "consents": [_consent(customer, channel) for channel in cells.CHANNEL_ICONS],
        "warnings": list(_warnings(request, customer)),
        "figures": list(_figures(request, customer)),
        "panels": list(panels(request, customer)),
    }


def _chips(customer: CustomerProfile) -> Iterator[Chip]:
    """Each identifier, the profile's own first, with who told us and what proves it."""
    for icon, label, name in OWN_IDENTIFIERS:
        value = getattr(customer, name)
        if value is not None:
            teller = source_of(customer, name)
            yield Chip(icon, label, str(value), _named(teller), _proof(customer, name, teller))
    for name, value in (customer.external_ids or {}).items():
        teller = source_of(customer, f"external_ids.{name}")
        yield Chip("tag", LINKS.get(name, name), str(value), _named(teller))
    for alias in customer.aliases.all():
        kind, value = alias.get_type_display(), alias.value
        if alias.type == IdentityAliasType.EXTERNAL_ID:
            link, _, value = alias.value.partition(":")
            kind = LINKS.get(link, link)
        yield Chip(
            icon={"EMAIL": "mail", "PHONE": "call"}.get(alias.type, "tag"),
            label=f"{kind}, also known by",
            value=value,
            source=_named(alias.source or ""),
            verified=f"verified {exactly(alias.verified_at)}" if alias.verified_at else "",
        )


def _named(source: str) -> str:
    return SOURCES.get(source, source or "an unknown source")


def _proof(customer: CustomerProfile, name: str, teller: str) -> str:
    """Why we may believe an identifier: its own service said so, or they answered over it."""
    if OWNER.get(name) == teller and name in OWN_LINKS:
        return f"verified by {_named(teller)}"
    if name != "email":
        return ""
    answered = [customer.last_email_open_at, customer.last_email_click_at]
    lately = max((moment for moment in answered if moment), default=None)
    since = said_at(customer, teller, name)
    if lately is None or (since is not None and lately < since):
        return ""  # What they opened went to an earlier address.
    return f"verified: they opened a message on {exactly(lately)}"


def _consent(customer: CustomerProfile, channel: Channel) -> dict[str, Any]:
    return {
        "label": channel.label,
        "icon": cells.CHANNEL_ICONS[channel],
        "is_on": customer.has_consent(channel),
        "since": cells.consent_since(customer, channel),
        "words": cells.consent_words(customer, channel),
    }


def _warnings(request: HttpRequest, customer: CustomerProfile) -> Iterator[Notice]:
    page = "admin:customers_customerprofile_change"
    if customer.merged_into_id:
        survivor = reverse(page, args=[customer.merged_into_id])
        yield Notice("merge", "This customer was merged into another.", survivor, "Go there")
        return
    if customer.erased_at:
        words = "Nothing is left that says who this was; what was counted still counts."
        yield Notice("person_remove", f"Erased on {exactly(customer.erased_at)}. {words}")
        return
    if customer.deleted_at:
        yield Notice("delete", f"Deleted on {exactly(customer.deleted_at)}. Nobody contacts them.")
    if request.user.has_perm("customers.merge_customerprofile"):
        yield from _merges(customer)
    yield from _expiry(customer)
    if request.user.has_perm("customers.view_duplicatecandidate"):
        yield from _duplicates(customer)
    bounced_at = _bounced_at(customer)
    if bounced_at:
        words = f"The last e-mail to {customer.email} came back on {exactly(bounced_at)}."
        yield Notice("unsubscribe", words)


def last_merge_into(customer: CustomerProfile) -> ProfileMerge | None:
    """The latest merge into the customer, as long as it can be undone: later ones go first."""
    standing = ProfileMerge.objects.standing().filter(survivor=customer)
    merge = standing.select_related("absorbed").order_by("-pk").first()
    return merge if merge is not None and merge.can_be_undone(timezone.now()) else None


def _merges(customer: CustomerProfile) -> Iterator[Notice]:
    merge = last_merge_into(customer)
    if merge is not None:
        name, on = merge.absorbed.name, exactly(merge.merged_at)
        words = f"{name} was merged into this customer on {on}."
        yield Notice("merge", f"{words} Actions has “Undo merge” until {_until(merge)}.")


def _until(merge: ProfileMerge) -> str:
    return date_format(timezone.localtime(merge.expires_at), "j F Y")


def _expiry(customer: CustomerProfile) -> Iterator[Notice]:
    if customer.membership_expiry is None:
        return
    days = (customer.membership_expiry - timezone.localdate()).days
    on = date_format(customer.membership_expiry, "j F Y")
    if 0 <= days <= EXPIRY_WARNING_DAYS:
        when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        yield Notice("event_busy", f"Membership expires {when}, on {on}.")
    elif -EXPIRY_WARNING_DAYS <= days < 0:
        yield Notice("event_busy", f"Membership expired on {on}.")


def _duplicates(customer: CustomerProfile) -> Iterator[Notice]:
    pairs = DuplicateCandidate.objects.pending().involving(customer)
    pair = pairs.select_related("profile_a", "profile_b").order_by("-match_score").first()
    if pair is not None:
        other = pair.profile_b if pair.profile_a_id == customer.pk else pair.profile_a
        yield Notice(
            "person_search",
            f"Perhaps the same person as {other.name} ({pair.match_score:.0f} %).",
            reverse("admin:customers_duplicatecandidate_change", args=[pair.pk]),
            "Look at both",
        )


def _bounced_at(customer: CustomerProfile) -> datetime | None:
    """When the latest e-mail came back; None if it arrived, or none was sent of late."""
    if not customer.email:
        return None
    results = Activity.objects.filter(
        customer=customer,
        type__in=("MESSAGE_BOUNCED", "MESSAGE_DELIVERED"),
        channel=Channel.EMAIL,
        occurred_at__gte=timezone.now() - BOUNCE_MEMORY,
    )
    last = results.order_by("-occurred_at", "-pk").first()
    return last.occurred_at if last and last.type == "MESSAGE_BOUNCED" else None


def _figures(request: HttpRequest, customer: CustomerProfile) -> Iterator[Figure]:
    why = explained(customer)
    engagement, risk = customer.engagement_score, customer.churn_risk_score
    yield Figure("Engagement", _score(engagement), main_reason(why.engagement), "green", engagement)
    yield Figure("Churn risk", _score(risk), main_reason(why.churn), "amber", risk)
    tenant = current_tenant(request)
    currency = tenant.currency if tenant else ""
    yield Figure(
        "Lifetime value", cells.money(customer.lifetime_value, currency), "All payments so far."
    )
    this_year, last_year = _rounds(customer)
    yield Figure("Rounds this year", str(this_year), f"{last_year} in the same part of last year.")
    yield Figure("Last seen", ago(customer.last_activity_at))


def _score(value: int | None) -> str:
    return "–" if value is None else str(value)


def _rounds(customer: CustomerProfile) -> tuple[int, int]:
    """Rounds played since New Year, and in the same part of the year before."""
    now = timezone.localtime()
    start = now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    last_start = start.replace(year=start.year - 1)
    last_end = last_start + (now - start)
    played = Activity.objects.filter(
        customer=customer, type="ROUND_PLAYED", occurred_at__gte=last_start, occurred_at__lte=now
    )
    counts = played.aggregate(
        this_year=Count("pk", filter=Q(occurred_at__gte=start)),
        last_year=Count("pk", filter=Q(occurred_at__lt=last_end)),
    )
    return counts["this_year"], counts["last_year"]
