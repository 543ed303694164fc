"""What somebody decided last, so that a key takes it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from crm_site.audit.actor import Actor
from customers.choices import DuplicateResolution
from customers.models import DuplicateCandidate

UNDO_FOR = timedelta(hours=1)  # Later a key pressed by mistake would take back yesterday's work.
FRESH_FOR = timedelta(seconds=20)
RULINGS = (DuplicateResolution.NOT_DUPLICATE, DuplicateResolution.IGNORED)


@dataclass(frozen=True)
class Decision:
    """Something that can be taken back. ``words``: "Not a duplicate: Ann Lee and A. Lee"."""

    kind: str
    pk: UUID
    words: str
    at: datetime

    @property
    def is_fresh(self) -> bool:
        return timezone.now() - self.at < FRESH_FOR


def last_ruling(actor: Actor) -> Decision | None:
    ruled = DuplicateCandidate.objects.filter(
        resolved_by=actor.id, resolved_at__gte=timezone.now() - UNDO_FOR, resolution__in=RULINGS
    )
    people = ruled.select_related("profile_a", "profile_b")
    pair = people.order_by("-resolved_at").first()
    if pair is None or pair.resolved_at is None:
        return None
    words = f"{pair.get_resolution_display()}: {pair.profile_a} and {pair.profile_b}."
    return Decision("ruling", pair.pk, words, pair.resolved_at)
