"""How a customer looks in a list, a header, a search result."""

from datetime import datetime
from decimal import Decimal
from zlib import crc32

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm_site.backoffice.formats import exactly
from crm_site.messaging.channels import Channel
from customers.choices import LifecycleStage
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FLAGS

TONES = 6
SHOWN_TAGS = 3
SYMBOLS = {"ZAR": "R", "EUR": "€", "GBP": "£", "USD": "$"}
CHANNEL_ICONS = {
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.PUSH: "notifications",
    Channel.WHATSAPP: "chat",
}
STAGE_TONES = {
    LifecycleStage.SUBSCRIBER: "plain",
    LifecycleStage.LEAD: "blue",
    LifecycleStage.PROSPECT: "blue",
    LifecycleStage.CUSTOMER: "plain",
    LifecycleStage.MEMBER: "green",
    LifecycleStage.ADVOCATE: "green",
    LifecycleStage.CHURNED: "red",
}


def initials(customer: CustomerProfile) -> str:
    """One or two capitals; ``?`` for somebody without a name."""
    words = [customer.first_name or "", customer.last_name or ""]
    letters = "".join(word[0] for word in words if word) or customer.name[:1]
    return letters.upper() if letters.isalpha() else "?"


def avatar(customer: CustomerProfile, size: str = "") -> SafeString:
    """The photo, or initials on a colour that stays with the person."""
    if customer.avatar_url:
        template = '<img class="crm-avatar {}" src="{}" alt="" loading="lazy">'
        return format_html(template, size, customer.avatar_url)
    tone = crc32(customer.pk.bytes) % TONES
    template = '<span class="crm-avatar crm-tone-{} {}" aria-hidden="true">{}</span>'
    return format_html(template, tone, size, initials(customer))


def person(customer: CustomerProfile) -> SafeString:
    reached_by = customer.email or customer.phone_number or "No address"
    return format_html(
        '<span class="crm-person">{}<span><b>{}</b><small>{}</small></span></span>',
        avatar(customer),
        customer.name,
        reached_by if reached_by != customer.name else "",
    )


def pill(text: str, tone: str = "plain") -> SafeString:
    return format_html('<span class="crm-pill crm-{}">{}</span>', tone, text)


def stage(customer: CustomerProfile) -> SafeString:
    return pill(
        customer.get_lifecycle_stage_display(),
        STAGE_TONES[LifecycleStage(customer.lifecycle_stage)],
    )


def score(value: int | None, tone: str) -> SafeString | str:
    """A score of 0 to 100 with a bar; a dash for none."""
    if value is None:
        return "–"
    bar = '<span class="crm-score crm-{}"><span class="crm-meter"><span style="width: {}%"></span>'
    return format_html(bar + "</span>{}</span>", tone, value, value)


def money(cents: Decimal | int | None, currency: str) -> str:
    """Cents as an amount of money: ``R 1 234.50``; a dash for none."""
    if cents is None:
        return "–"
    amount = f"{cents / 100:,.2f}".replace(",", "\u202f")
    return f"{SYMBOLS.get(currency, currency)}\u00a0{amount}"


def tags(customer: CustomerProfile) -> SafeString | str:
    if not customer.tags:
        return "–"
    shown = format_html_join(" ", "{}", ((pill(tag),) for tag in customer.tags[:SHOWN_TAGS]))
    rest = customer.tags[SHOWN_TAGS:]
    if not rest:
        return shown
    return format_html('{} <span title="{}">+{}</span>', shown, ", ".join(rest), len(rest))


def consent_since(customer: CustomerProfile, channel: Channel) -> datetime | None:
    """When Messaging last told us about the channel; None if it never did."""
    stem = CONSENT_FLAGS[channel].removesuffix("_opt_in")
    changed_at: datetime | None = getattr(customer, f"{stem}_consent_changed_at")
    return changed_at


def consent_words(customer: CustomerProfile, channel: Channel) -> str:
    """ "E-mail: yes, since 3 March 2026, 14:05 (from Messaging)"."""
    answer = "yes" if customer.has_consent(channel) else "no"
    since = consent_since(customer, channel)
    if since is None:
        return f"{channel.label}: {answer}, Messaging has told us nothing"
    return f"{channel.label}: {answer}, since {exactly(since)} (from Messaging)"


def lights(customer: CustomerProfile) -> SafeString:
    """One light a channel: filled where they said yes, struck through where not."""
    return format_html(
        '<span class="crm-lights">{}</span>',
        format_html_join(
            "",
            '<span class="crm-light {}" title="{}">'
            '<span class="material-symbols-outlined" aria-hidden="true">{}</span>'
            '<span class="crm-unseen">{}</span></span>',
            (
                (
                    "is-on" if customer.has_consent(channel) else "is-off",
                    words := consent_words(customer, channel),
                    icon,
                    words,
                )
                for channel, icon in CHANNEL_ICONS.items()
            ),
        ),
    )
