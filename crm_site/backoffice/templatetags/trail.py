"""Where a page lies, in the words of the sidebar."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from unfold.templatetags.unfold import header_title

from crm_site.backoffice.navigation import place_of

register = template.Library()


@register.simple_tag(takes_context=True)
def trail(context: Any) -> str:
    """Group and page on a list, page and row elsewhere; pages off the sidebar as the theme does."""
    opts = context.get("opts")
    place = place_of(opts) if opts else None
    if place is None:
        return str(header_title(context))
    here: dict[str, Any] = {"title": place.title, "link": place.link}
    if original := context.get("original"):
        parts = [here, {"title": original}]
    elif context.get("add"):
        parts = [here, {"title": f"New {opts.verbose_name}"}]
    else:
        parts = [{"title": place.group}, here]
    return render_to_string("unfold/helpers/header_title.html", {"parts": parts})
