"""What somebody decided last, so that a key takes it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from crm_site.audit.actor import Actor
from customers.choices import DuplicateResolution
from customers.models import DuplicateCandidate, ProfileMerge
from customers.models.merge import UNDO_DAYS

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


def last_decision(actor: Actor) -> Decision | None:
    """Of the last hour, whatever it was."""
    found = [each for each in (_last_ruling(actor), _last_merge(actor)) if each is not None]
    return max(found, key=lambda decision: decision.at, default=None)


def standing_merge(pair: DuplicateCandidate) -> ProfileMerge | None:
    """The merge of the two, while it can be undone."""
    both = (pair.profile_a_id, pair.profile_b_id)
    merges = ProfileMerge.objects.standing().filter(survivor__in=both, absorbed__in=both)
    merge: ProfileMerge | None = merges.first()
    return merge if merge is not None and merge.can_be_undone(timezone.now()) else None


def _last_ruling(actor: Actor) -> Decision | None:
    ruled = DuplicateCandidate.objects.filter(
        resolved_by=actor.id, resolved_at__gte=timezone.now() - UNDO_FOR, resolution__in=RULINGS
    )
    people = ruled.select_related("profile_a", "profile_b")
    pair = people.order_by("-resolved_at").first()
    if pair is None or pair.resolved_at is None:
        return None
    words = f"{pair.get_resolution_display()}: {pair.profile_a} and {pair.profile_b}."
    return Decision("ruling", pair.pk, words, pair.resolved_at)


def _last_merge(actor: Actor) -> Decision | None:
    # By when it expires, which there is an index for.
    since = timezone.now() - UNDO_FOR + timedelta(days=UNDO_DAYS)
    # Those of a bulk merge are undone on its own page.
    merges = ProfileMerge.objects.standing().filter(
        expires_at__gte=since, merged_by=actor.id, bulk_pairs__isnull=True
    )
    merge = merges.select_related("survivor").order_by("-merged_at").first()
    if merge is None:
        return None
    return Decision("merge", merge.pk, f"Merged into {merge.survivor}.", merge.merged_at)
