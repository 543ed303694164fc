"""Small drawings about scores as SVG: no script, and each says in words what it shows."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from customers.services.score_reading import WeekOfScores

WIDTH, HEIGHT, PADDING = 220.0, 44.0, 3.0
SIDE, MARGIN = 260.0, 34.0


def trend(history: Sequence[WeekOfScores], name: str, *, today: date, days: int) -> SafeString:
    """A score of 0 to 100 over the ``days`` before ``today``; blank with fewer than two values.

    ``name`` is a field of WeekOfScores. A value stands until the next one.
    """
    known = [(week.week, getattr(week, name)) for week in history]
    values = [(day, value) for day, value in known if value is not None]
    if len(values) < 2:
        return SafeString("")
    start = max(today - timedelta(days=days), values[0][0])
    span = max(1, (today - start).days)
    points: list[str] = []
    for place, (day, value) in enumerate(values):
        ends = values[place + 1][0] if place + 1 < len(values) else today
        height = PADDING + (HEIGHT - 2 * PADDING) * (1 - value / 100)
        for edge in (max(day, start), ends):
            across = PADDING + (WIDTH - 2 * PADDING) * (edge - start).days / span
            points.append(f"{across:.1f},{height:.1f}")
    said = f"From {values[0][1]} in {start:%B %Y} to {values[-1][1]} now."
    return format_html(
        '<svg class="crm-trend" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<title>{}</title><polyline points="{}"/></svg>',
        *(f"{WIDTH:.0f}", f"{HEIGHT:.0f}", said, said, " ".join(points)),
    )


def calibration(bins: Sequence[Mapping[str, Any]]) -> SafeString:
    """How many were expected to leave against how many did, in fifths; on the line is right."""
    if not bins:
        return SafeString("")
    most = max(0.1, *(max(each["expected"], each["left"]) for each in bins))
    top = min(1.0, -(-most * 10 // 1) / 10)

    def place(share: float) -> float:
        return (SIDE - 2 * MARGIN) * share / top

    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="5"><title>{}</title></circle>',
        (
            (
                f"{MARGIN + place(each['expected']):.1f}",
                f"{SIDE - MARGIN - place(each['left']):.1f}",
                f"{each['people']:,} people: {each['expected']:.0%} expected to leave, "
                f"{each['left']:.0%} did.",
            )
            for each in bins
        ),
    )
    edge, end = f"{MARGIN:.0f}", f"{SIDE - MARGIN:.0f}"
    return format_html(
        '<svg class="crm-calibration" viewBox="0 0 {s} {s}" role="img" '
        'aria-label="Expected against what happened">'
        '<path class="axis" d="M{a} {a}V{b}H{b}"/><path class="right" d="M{a} {b}L{b} {a}"/>{dots}'
        '<text x="{a}" y="{low}">0 %</text><text x="{b}" y="{low}" text-anchor="end">{top} %</text>'
        '<text x="{a}" y="{high}">{top} % left</text>'
        '<text x="{middle}" y="{low}" text-anchor="middle">expected</text></svg>',
        **{"s": f"{SIDE:.0f}", "a": edge, "b": end, "dots": dots, "top": round(top * 100)},
        **{"low": f"{SIDE - 12:.0f}", "high": f"{MARGIN - 10:.0f}", "middle": f"{SIDE / 2:.0f}"},
    )


def season(weights: Sequence[float]) -> SafeString:
    """What each of the last 52 weeks counts, as bars."""
    recent = list(weights)[-52:]
    step = (WIDTH - 2 * PADDING) / max(1, len(recent))
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        (
            (
                f"{PADDING + n * step:.1f}",
                f"{HEIGHT - PADDING - (HEIGHT - 2 * PADDING) * weight:.1f}",
                f"{step * 0.75:.1f}",
                f"{(HEIGHT - 2 * PADDING) * weight:.1f}",
            )
            for n, weight in enumerate(recent)
        ),
    )
    return format_html(
        '<svg class="crm-season" viewBox="0 0 {} {}" role="img" aria-label="What each week of the '
        'past year counts">{}</svg>',
        *(f"{WIDTH:.0f}", f"{HEIGHT:.0f}", bars),
    )
