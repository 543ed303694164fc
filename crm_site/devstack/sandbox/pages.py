"""The inbox for people: what was sent to whom, and buttons to answer as the recipient would."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

CHANNELS = {
    "EMAIL": "E-mail",
    "SMS": "SMS",
    "PUSH": "Push",
    "WHATSAPP": "WhatsApp",
    "IN_APP": "In the app",
}
BUTTONS = (
    ("open", "Open"),
    ("click", "Click the link"),
    ("reply", "Reply"),
    ("unsubscribe", "Unsubscribe"),
    ("bounce", "Bounce"),
    ("complain", "Report as spam"),
)
# The furthest a message got, last first.
PROGRESS = (
    ("message.complained", "Complained", "bad"),
    ("message.unsubscribed", "Unsubscribed", "bad"),
    ("message.bounced", "Bounced", "bad"),
    ("message.replied", "Replied", "good"),
    ("message.clicked", "Clicked", "good"),
    ("message.opened", "Opened", "good"),
    ("message.delivered", "Delivered", "plain"),
)
STYLE = """
:root{color-scheme:light dark;--bg:#f6f8f6;--card:#fff;--ink:#17251b;--soft:#5d6b61;--line:#dde5df;
--green:#166534;--tint:#e4f1e8;--bad:#b42318;--badtint:#fde8e6}
@media(prefers-color-scheme:dark){:root{--bg:#101613;--card:#18211c;--ink:#e6ede8;--soft:#93a399;
--line:#2a362f;--green:#4ade80;--tint:#173324;--bad:#f97066;--badtint:#3b1a18}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}main{max-width:1080px;margin:0 auto;padding:28px 20px}
h1{font-size:22px;margin:0 0 4px}p.lead{color:var(--soft);margin:0 0 20px}a{color:var(--green)}
form.filter{display:flex;gap:8px;flex-wrap:wrap;margin:0 0 16px}
input,select,button{font:inherit;color:inherit;padding:8px 12px;border:1px solid var(--line);
border-radius:8px;background:var(--card)}input[type=search]{flex:1;min-width:180px}
button{cursor:pointer}button:hover{border-color:var(--green)}
button.main{background:var(--green);color:var(--card);border-color:var(--green)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
ul.list{list-style:none;margin:0;padding:0}ul.list li+li{border-top:1px solid var(--line)}
ul.list a{display:grid;grid-template-columns:108px 220px 1fr 110px;gap:14px;padding:11px 16px;
text-decoration:none;color:inherit;align-items:baseline}ul.list a:hover{background:var(--tint)}
.soft{color:var(--soft)}.cut{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.tag{display:inline-block;padding:1px 9px;border-radius:99px;font-size:13px;background:var(--line)}
.tag.good{background:var(--tint);color:var(--green)}.tag.bad{background:var(--badtint);
color:var(--bad)}.empty{padding:48px;text-align:center;color:var(--soft)}
.two{display:grid;grid-template-columns:1fr 320px;gap:18px;align-items:start}
iframe{display:block;width:100%;height:560px;border:0;background:#fff}
.bubble{margin:28px;padding:14px 18px;background:var(--tint);border-radius:16px 16px 16px 4px;
max-width:420px;white-space:pre-line}.side{padding:16px}.side h2{font-size:14px;margin:0 0 8px}
.side+.side{border-top:1px solid var(--line)}.acts{display:flex;flex-wrap:wrap;gap:8px}
.acts form{margin:0}dl{display:grid;grid-template-columns:auto 1fr;gap:4px 12px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}ol{margin:0;padding-left:18px}
@media(max-width:760px){.two{grid-template-columns:1fr}ul.list a{grid-template-columns:1fr auto}
ul.list a .text{grid-column:1/-1}}
"""


def inbox(
    messages: Sequence[Mapping[str, Any]],
    filters: Mapping[str, str],
    tenants: Sequence[str],
    page_size: int,
) -> str:
    """The newest messages; one more than ``page_size`` says that older ones follow."""
    shown = messages[:page_size]
    listed = "".join(_row(message) for message in shown)
    clubs = {"": "Every club", **{each: each for each in sorted(tenants)}}
    content = f'<ul class="list">{listed}</ul>' if shown else _empty(filters)
    older = ""
    if len(messages) > page_size:
        query = urlencode({**filters, "before": shown[-1]["seq"]})
        older = f'<p><a href="/?{escape(query)}">Older messages</a></p>'
    return _page(
        "Messaging sandbox",
        "<h1>Messaging sandbox</h1><p class=lead>What Fairway sent from this machine. Nothing here "
        "ever left it.</p>"
        '<form class="filter"><label><select name="tenant" aria-label="Club">'
        f"{_options(clubs, filters['tenant'])}"
        '</select></label><label><select name="channel" aria-label="Channel">'
        f"{_options({'': 'Every channel', **CHANNELS}, filters['channel'])}</select></label>"
        f'<input type="search" name="q" value="{escape(filters["q"])}" '
        'placeholder="Address, name or text" aria-label="Search"><button class="main">Show</button>'
        f'</form><div class="card">{content}</div>{older}',
    )


def message(sent: Mapping[str, Any], events: Sequence[Mapping[str, Any]], now: float) -> str:
    """One message as its recipient sees it, with what came of it."""
    template, title = escape(sent["template_id"]), sent["subject"] or sent["text"][:60]
    if sent["html"]:
        shown = f'<iframe sandbox title="The message" srcdoc="{escape(sent["html"])}"></iframe>'
    else:
        shown = f'<div class="bubble">{escape(sent["text"])}</div>'
    buttons = "".join(
        f'<form method="post" action="/messages/{escape(sent["id"])}/{verb}">'
        f"<button>{label}</button></form>"
        for verb, label in BUTTONS
    )
    facts = {
        "To": sent["address"] or sent["customer_id"],
        "Club": sent["tenant"],
        "Channel": CHANNELS[sent["channel"]],
        "Accepted": _time(sent["accepted_at"]),
        "Key": sent["key"],
        **(sent["body"].get("metadata") or {}),
    }
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items())
    return _page(
        title,
        f'<p><a href="/">All messages</a></p><h1>{escape(title)}</h1>'
        f'<p class="lead">{template} to {escape(facts["To"])}</p><div class="two">'
        f'<div class="card">{shown}</div><div class="card"><div class="side"><h2>Answer as the '
        f'recipient</h2><div class="acts">{buttons}</div></div><div class="side"><h2>What came of '
        f'it</h2>{_history(events, now)}</div><div class="side"><dl>{rows}</dl></div></div></div>',
    )


def _row(sent: Mapping[str, Any]) -> str:
    said = escape(sent["subject"] or sent["text"])
    return (
        f'<li><a href="/messages/{escape(sent["id"])}"><span class="soft">'
        f'{_time(sent["accepted_at"], short=True)}</span><span class="cut">'
        f'{escape(sent["address"] or sent["customer_id"])}</span><span class="text cut">'
        f'<span class="tag">{CHANNELS[sent["channel"]]}</span> {said} '
        f'<span class="soft">{escape(sent["tenant"])}</span></span>{_progress(sent["events"])}'
        "</a></li>"
    )


def _progress(types: Sequence[str]) -> str:
    for type, label, tone in PROGRESS:
        if type in types:
            return f'<span><span class="tag {tone}">{label}</span></span>'
    return '<span><span class="tag">Sent</span></span>'


def _history(events: Sequence[Mapping[str, Any]], now: float) -> str:
    past = [event for event in events if event["due_at"] <= now]
    if not past:
        return '<p class="soft">Nothing yet.</p>'
    items = "".join(
        f"<li>{escape(event['type'].removeprefix('message.'))} "
        f'<span class="soft">{_time(event["due_at"], short=True)}'
        f"{'' if event['delivered_at'] else ', not yet told to Fairway'}</span></li>"
        for event in past
    )
    return f"<ol>{items}</ol>"


def _empty(filters: Mapping[str, str]) -> str:
    if any(filters.values()):
        return '<p class="empty">No message fits. <a href="/">Show all</a></p>'
    return '<p class="empty">Nothing was sent yet. Start a campaign in Fairway, then look here.</p>'


def _options(options: Mapping[str, str], chosen: str) -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(label)}</option>"
        for value, label in options.items()
    )


def _time(at: float, *, short: bool = False) -> str:
    moment = datetime.fromtimestamp(at, UTC).astimezone()
    return moment.strftime("%d %b %H:%M" if short else "%A %d %B %Y, %H:%M:%S")


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><main>{content}</main></body></html>"
    )
