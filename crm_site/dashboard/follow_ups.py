"""What the signed-in member of staff promised customers to come back to."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest
from django.urls import reverse

from crm_site.audit.actor import Actor
from customers.models import CustomerNote

AHEAD = timedelta(days=7)
SHOWN = 10


@dataclass(frozen=True)
class FollowUp:
    """One promise. ``done_url`` takes a POST with ``do=done``; blank for who may not change it."""

    customer: str
    words: str
    on: date
    is_due: bool
    link: str
    done_url: str


def follow_ups(request: HttpRequest, today: date) -> list[FollowUp]:
    """The user's own open follow-ups, overdue ones first, a week ahead; one query by an index."""
    if not request.user.has_perm("customers.view_customernote"):
        return []
    notes = CustomerNote.objects.to_follow_up(Actor.from_request(request).id)
    rows = notes.filter(
        follow_up_on__lte=today + AHEAD,
        customer__deleted_at__isnull=True,
        customer__merged_at__isnull=True,
    ).select_related("customer")
    may_finish = request.user.has_perm("customers.change_customernote")
    return [
        FollowUp(
            customer=note.customer.name,
            words=note.content,
            on=note.follow_up_on,
            is_due=note.follow_up_on <= today,
            link=reverse("admin:customers_customerprofile_change", args=[note.customer_id]),
            done_url=_done_url(note) if may_finish else "",
        )
        for note in rows.defer("customer__search_vector")[:SHOWN]
    ]


def _done_url(note: CustomerNote) -> str:
    return reverse("admin:customers_customerprofile_note", args=[note.customer_id, note.pk])
