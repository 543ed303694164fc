"""Panels at the side of the customer page that apps above fill: segments, campaigns, journeys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.safestring import SafeString

from customers.models import CustomerProfile


@dataclass(frozen=True)
class Panel:
    """A titled box. ``body`` is HTML rendered by a template; ``more`` an address to see it all."""

    title: str
    icon: str
    body: SafeString
    more: str = ""


PanelMaker = Callable[[HttpRequest, CustomerProfile], Panel | None]
_makers: list[tuple[str, PanelMaker]] = []


def customer_panel(*, permission: str) -> Callable[[PanelMaker], PanelMaker]:
    """Register ``make(request, customer)``, asked only for users with ``permission``.

    It costs every look at a customer, so it asks a query or two by an index. None shows nothing.
    """

    def register(maker: PanelMaker) -> PanelMaker:
        _makers.append((permission, maker))
        return maker

    return register


def panels(request: HttpRequest, customer: CustomerProfile) -> Iterator[Panel]:
    for permission, make in _makers:
        if request.user.has_perm(permission):
            panel = make(request, customer)
            if panel is not None:
                yield panel
