"""Telling the apps above that profiles moved."""

from collections.abc import Collection
from uuid import UUID

from customers.models import CustomerProfile
from customers.signals import profiles_changed


def tell_changed(customer_ids: Collection[UUID], *, columns: Collection[str] | None) -> None:
    """Tell the apps above which profiles moved, after they are written; once per batch."""
    if customer_ids:
        profiles_changed.send(
            sender=CustomerProfile,
            customer_ids=list(customer_ids),
            columns=None if columns is None else frozenset(columns),
        )
