"""Values as people say them."""

from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString


def ago(moment: datetime | None) -> SafeString | str:
    """ "2 weeks ago", with the exact time in the club's zone on hover; a dash for never."""
    if moment is None:
        return "–"
    said = naturaltime(moment)
    first, comma, rest = said.partition(",")
    # Django says "2 weeks, 3 days ago"; the greater unit is enough to read a list by.
    short = f"{first} {'ago' if rest.endswith('ago') else 'from now'}" if comma else said
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exactly(moment), short
    )


def exactly(moment: datetime | None) -> str:
    """ "3 March 2026, 14:05" in the club's zone; a dash for never."""
    return date_format(timezone.localtime(moment), "j F Y, H:i") if moment else "–"
