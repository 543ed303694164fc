"""What happened to a customer, newest first, out of several tables, a page at a time."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from customers.choices import ActivityCategory
from customers.models import Activity, CustomerNote

PAGE_SIZE = 30


@dataclass(frozen=True)
class Position:
    """Where a page ended: the moment and id of its last entry."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that ``str`` wrote. Raises ValueError for anything else."""
        at, _, row_id = text.rpartition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("A position carries its offset from UTC.")
        return cls(moment, UUID(row_id))


@dataclass(frozen=True)
class Entry:
    """One line of a timeline. ``kind`` is its source: activity, note …"""

    at: datetime
    id: UUID
    kind: str
    category: str
    type: str
    title: str
    description: str = ""
    channel: str = ""
    source: str = "crm"
    author: str = ""
    is_private: bool = False
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """What a source is asked: entries of one customer before a position, as one actor may see them.

    ``categories`` empty means all.
    """

    customer_id: UUID
    viewer: str
    categories: frozenset[str] = frozenset()
    before: Position | None = None
    limit: int = PAGE_SIZE + 1

    def wants(self, category: str) -> bool:
        return not self.categories or category in self.categories

    def page_of(self, rows: QuerySet[Any], moment: str) -> QuerySet[Any]:
        """The newest ``limit`` of ``rows`` before the position, by the field ``moment`` and id."""
        if self.before:
            older = Q(**{f"{moment}__lt": self.before.at})
            same = Q(**{moment: self.before.at, "pk__lt": self.before.id})
            # The first condition is what an index can start from.
            rows = rows.filter(Q(**{f"{moment}__lte": self.before.at}), older | same)
        return rows.order_by(f"-{moment}", "-pk")[: self.limit]


@dataclass(frozen=True)
class Page:
    """Entries newest first, and where the next page starts; None at the end."""

    entries: list[Entry]
    next: Position | None


# A source gives at most ``question.limit`` entries, newest first by moment and then id.
Source = Callable[[Question], Iterable[Entry]]
_sources: list[Source] = []


def timeline_source(source: Source) -> Source:
    """Register a further table whose rows belong on the timeline."""
    _sources.append(source)
    return source


def read_timeline(
    *,
    customer_id: UUID,
    viewer: str,
    categories: Iterable[str] = (),
    before: Position | None = None,
    limit: int = PAGE_SIZE,
) -> Page:
    """A page of a customer's timeline. ``viewer`` is the actor id that private notes are kept from.

    Each source is asked once, by its index, whatever the length of the history.
    """
    question = Question(customer_id, viewer, frozenset(categories), before, limit + 1)
    merged = _newest_first(source(question) for source in _sources)
    entries = list(islice(merged, limit + 1))
    if len(entries) <= limit:
        return Page(entries, None)
    last = entries[limit - 1]
    return Page(entries[:limit], Position(last.at, last.id))


def _newest_first(answers: Iterable[Iterable[Entry]]) -> Iterator[Entry]:
    return heapq.merge(*answers, key=lambda entry: (entry.at, entry.id), reverse=True)


@timeline_source
def _activities(question: Question) -> Iterator[Entry]:
    rows = Activity.objects.filter(customer_id=question.customer_id)
    if question.categories:
        rows = rows.filter(category__in=question.categories)
    for row in question.page_of(rows, "occurred_at"):
        yield Entry(
            at=row.occurred_at,
            id=row.pk,
            kind="activity",
            category=row.category,
            type=row.type,
            title=row.title,
            description=row.description or "",
            channel=row.channel or "",
            source=row.source_service,
            metadata=row.metadata,
        )


@timeline_source
def _notes(question: Question) -> Iterator[Entry]:
    if not question.wants(ActivityCategory.SUPPORT):
        return
    rows = CustomerNote.objects.visible_to(question.viewer).filter(customer_id=question.customer_id)
    for row in question.page_of(rows, "created_at"):
        yield Entry(
            at=row.created_at,
            id=row.pk,
            kind="note",
            category=ActivityCategory.SUPPORT,
            type="NOTE",
            title=f"{row.get_type_display()} note",
            description=row.content,
            author=row.created_by,
            is_private=row.is_private,
        )
