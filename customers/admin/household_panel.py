"""Who else lives there, at the side of the customer page: one message a household, one letter."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from customers.admin import cells
from customers.admin.panels import Panel, customer_panel
from customers.models import CustomerProfile
from customers.services.households import Relative, household_of

SHARED = {
    "address": "address",
    "email": "e-mail",
    "phone": "phone",
    "phone_number": "phone",
}


@dataclass(frozen=True)
class Line:
    """One relative. ``shares``: "same address, e-mail and phone"."""

    name: str
    avatar: SafeString
    url: str
    shares: str


@customer_panel(permission="customers.view_customerprofile")
def household_panel(request: HttpRequest, customer: CustomerProfile) -> Panel | None:
    """None for somebody who shares nothing with anybody."""
    relatives = household_of(customer) if customer.is_live else []
    if not relatives:
        return None
    body = render_to_string("customers/household.html", {"lines": [*map(_line, relatives)]})
    return Panel("Same household", "home", body)


def _line(relative: Relative) -> Line:
    profile = relative.profile
    shared = dict.fromkeys(SHARED[each] for each in relative.shares if each in SHARED)
    return Line(
        name=profile.name,
        avatar=cells.avatar(profile),
        url=reverse("admin:customers_customerprofile_change", args=[profile.pk]),
        shares=f"same {get_text_list([*shared], 'and')}" if shared else "similar details",
    )
