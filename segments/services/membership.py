"""Putting customers into segments by hand, and taking them out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from crm_site.audit.actor import Actor
from crm_site.errors import NOT_FOUND
from customers.models import CustomerProfile
from segments.models import CustomerSegment
from segments.services.difference import Difference
from segments.services.locking import lock
from segments.services.moving import Moves, write_moves
from segments.services.refreshing import SegmentError


@transaction.atomic
def change_members(
    *,
    segment: CustomerSegment,
    add: Sequence[UUID] = (),
    remove: Sequence[UUID] = (),
    actor: Actor,
    now: datetime,
) -> Difference:
    """Add and remove members of a segment kept by hand; returns who really entered and left.

    Raises SegmentError, with the path of the first fault, for a segment filled by rules, an id
    that is no live customer, or one that is both added and removed.
    """
    if not segment.is_by_hand:
        raise SegmentError("Only a segment by hand takes single members.", code="not_by_hand")
    _check(add, remove)
    lock(segment.pk)
    moves = Moves(segment.pk, set(add), set(remove))
    done = write_moves([moves], now=now, added_by=actor.id)
    if not done:
        return Difference(0, 0)
    # By hand the set is right at once: there is no later refresh that would look at it.
    segment.last_refreshed_at = now
    segment.save(update_fields=["last_refreshed_at", "updated_at"])
    segment.refresh_from_db(fields=["member_count"])
    return Difference(*done[segment.pk])


def _check(add: Sequence[UUID], remove: Sequence[UUID]) -> None:
    live = set(CustomerProfile.objects.live().filter(pk__in=add).values_list("pk", flat=True))
    for index, customer_id in enumerate(add):
        if customer_id not in live:
            raise SegmentError("There is no such customer.", path=f"add[{index}]", code=NOT_FOUND)
    for index, customer_id in enumerate(remove):
        if customer_id in live:
            raise SegmentError("This one is added, too.", path=f"remove[{index}]", code="invalid")
