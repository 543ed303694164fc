"""The templates a golf club keeps in Messaging, and how they are filled in."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLACEHOLDER = re.compile(r"{{\s*(\w+)\s*(?:\|\s*([^}]*?)\s*)?}}")
PAGE_SIZE = 6


@dataclass(frozen=True)
class StoredTemplate:
    """A text with places such as ``{{ firstName | golfer }}``, the default after the bar."""

    id: str
    name: str
    channel: str
    category: str
    body: tuple[str, ...]
    subject: str | None = None
    button: tuple[str, str] | None = None  # label and address; its link id is "main"

    @property
    def variables(self) -> list[str]:
        """The names it uses, in order of first use."""
        texts = [self.subject or "", *self.body, *(self.button or ())]
        return list(dict.fromkeys(match[1] for match in PLACEHOLDER.finditer(" ".join(texts))))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "channel": self.channel,
            "category": self.category,
            "variables": self.variables,
        }


def _email(
    id: str, name: str, subject: str, *body: str, category: str = "MARKETING", button: Any = None
) -> StoredTemplate:
    return StoredTemplate(id, name, "EMAIL", category, body, subject, button)


def _short(id: str, name: str, channel: str, text: str, category: str) -> StoredTemplate:
    return StoredTemplate(id, name, channel, category, (text,))


SITE = "https://www.example-golf.club"
TEMPLATES = (
    _email(
        "welcome-email",
        "Welcome to the club",
        "Welcome to {{ clubName }}, {{ firstName | golfer }}",
        "Dear {{ firstName | golfer }},",
        "We are glad to have you at {{ clubName }}. Your member card waits at the pro shop, and "
        "your first round with a guest is on us.",
        "See you on the first tee.",
        category="TRANSACTIONAL",
        button=("Book your first round", f"{SITE}/tee-times"),
    ),
    _email(
        "newsletter-email",
        "Monthly newsletter",
        "This month at {{ clubName }}",
        "Hi {{ firstName | there }},",
        "The greens have been sanded, the bar has a new menu, and Saturday's medal is open for "
        "entries. Here is what else is on at {{ clubName }} this month.",
        button=("Read the news", f"{SITE}/news"),
    ),
    _email(
        "winback-email",
        "We miss you",
        "{{ firstName | Golfer }}, your clubs are gathering dust",
        "Hi {{ firstName | there }},",
        "It has been a while since your last round at {{ clubName }}. Come back before the end of "
        "the month and the cart is on us.",
        button=("Book a tee time", f"{SITE}/tee-times"),
    ),
    _email(
        "renewal-email",
        "Membership renewal",
        "Your {{ membershipTier | club }} membership is due",
        "Dear {{ firstName | member }},",
        "Your membership of {{ clubName }} is up for renewal. It takes two minutes online.",
        category="TRANSACTIONAL",
        button=("Renew now", f"{SITE}/renew"),
    ),
    _email(
        "competition-email",
        "Competition invitation",
        "{{ competitionName | The Monthly Medal }}: entries are open",
        "Hi {{ firstName | there }},",
        "Entries for {{ competitionName | the Monthly Medal }} are open, and with a handicap of "
        "{{ handicap | yours }} you have as good a chance as any.",
        button=("Enter", f"{SITE}/competitions"),
    ),
    _email(
        "birthday-email",
        "Birthday",
        "Happy birthday, {{ firstName | golfer }}",
        "Dear {{ firstName | golfer }},",
        "Everybody at {{ clubName }} wishes you a happy birthday. A sleeve of balls waits for you "
        "at the pro shop.",
        button=("Claim your gift", f"{SITE}/birthday"),
    ),
    _short(
        "offer-sms",
        "Midweek offer",
        "SMS",
        f"{{{{ firstName | Hi }}}}, 2 for 1 green fees this Wednesday. Book: {SITE}/2for1 "
        "Reply STOP to opt out.",
        "MARKETING",
    ),
    _short(
        "reminder-sms",
        "Tee time reminder",
        "SMS",
        "{{ firstName | Hi }}, your tee time at {{ clubName }} is {{ teeTime | tomorrow }}.",
        "TRANSACTIONAL",
    ),
    _short(
        "reminder-push",
        "Tee time is near",
        "PUSH",
        "{{ firstName | Golfer }}, you tee off {{ teeTime | soon }}. The greens are fast today.",
        "TRANSACTIONAL",
    ),
    _short(
        "offer-push",
        "Twilight offer",
        "PUSH",
        "Twilight rate from 15:00 today at {{ clubName }}.",
        "MARKETING",
    ),
    _short(
        "offer-whatsapp",
        "Offer with a picture",
        "WHATSAPP",
        f"Hi {{{{ firstName | there }}}}, this week at {{{{ clubName }}}}: {SITE}/offers",
        "MARKETING",
    ),
    _short(
        "notice-in-app",
        "Course notice",
        "IN_APP",
        "{{ firstName | Golfer }}, temporary greens are in play on holes 4 and 11.",
        "TRANSACTIONAL",
    ),
)
BY_ID = {template.id: template for template in TEMPLATES}


def page(channel: str | None, cursor: str | None) -> dict[str, Any]:
    """One page of templates as the contract shows it."""
    chosen = [each for each in TEMPLATES if channel in (None, each.channel)]
    start = int(cursor or 0)
    following = start + PAGE_SIZE
    return {
        "items": [each.as_json() for each in chosen[start:following]],
        "nextCursor": str(following) if following < len(chosen) else None,
    }


def render(template: StoredTemplate, tenant: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """``subject``, ``html`` and ``text`` as one recipient sees them."""
    values = {"clubName": f"{tenant.replace('-', ' ').title()} Golf Club", **variables}

    def filled(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: str(values.get(match[1]) or match[2] or ""), text)

    paragraphs = [filled(paragraph) for paragraph in template.body]
    if template.channel != "EMAIL":
        return {"subject": None, "html": None, "text": "\n".join(paragraphs)}
    label, address = template.button or ("", "")
    text = "\n\n".join([*paragraphs, f"{label}: {address}"] if label else paragraphs)
    return {
        "subject": filled(template.subject or ""),
        "html": _html(values["clubName"], paragraphs, label, address),
        "text": text,
    }


def links(template: StoredTemplate) -> list[tuple[str, str]]:
    """(link id, address) of what a recipient may click."""
    if template.button:
        return [("main", template.button[1])]
    found = re.findall(r"https://[^\s]+", " ".join(template.body))
    return [("main", found[0])] if found else []


def _html(club: str, paragraphs: list[str], label: str, address: str) -> str:
    body = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    button = (
        f'<p><a href="{html.escape(address)}" style="display:inline-block;background:#166534;'
        f'color:#fff;padding:12px 22px;border-radius:6px;text-decoration:none;font-weight:600">'
        f"{html.escape(label)}</a></p>"
        if label
        else ""
    )
    return (
        '<!doctype html><html lang="en"><body style="margin:0;background:#f1f5f1;'
        'font:16px/1.6 Georgia,serif;color:#1c2b20"><div style="max-width:560px;margin:0 auto;'
        'background:#fff"><div style="background:#14532d;color:#fff;padding:22px 28px;'
        f'font-size:20px">{html.escape(club)}</div><div style="padding:24px 28px">{body}{button}'
        '</div><div style="padding:16px 28px;color:#6b7a6e;font:13px/1.5 sans-serif;border-top:'
        '1px solid #e3e9e4">You get this because you said we may write. '
        '<a href="#unsubscribe" style="color:#6b7a6e">Unsubscribe</a></div></div></body></html>'
    )
