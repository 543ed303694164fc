"""What happened to a customer and what is to come, out of several tables, a page at a time."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from functools import reduce
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.choices import ActivityCategory
from customers.models import Activity, CustomerNote
from customers.models.note import FOLLOW_UP_OPEN

PAGE_SIZE = 30
COMING_SIZE = 20
MOST_WORDS = 6


OURS = "crm"


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
    source: str = OURS
    author: str = ""
    is_private: bool = False
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """What a source is asked: entries of one customer before a position, as one actor may see them.

    ``categories`` and ``services`` (scl, teetime, messaging, crm) empty mean all; an entry has
    every one of ``words`` in its title or description.
    """

    customer_id: UUID
    viewer: str
    categories: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    before: Position | None = None
    limit: int = PAGE_SIZE + 1

    def wants(self, category: str, service: str = OURS) -> bool:
        """Whether entries of this category from this service are asked for at all."""
        return (not self.categories or category in self.categories) and (
            not self.services or service in self.services
        )

    def says(self, *fields: str) -> Q:
        """A condition: each word in one of these text fields."""
        return reduce(
            lambda all_words, word: (
                all_words
                & reduce(
                    lambda any_field, name: any_field | Q(**{f"{name}__icontains": word}),
                    fields,
                    Q(),
                )
            ),
            self.words,
            Q(),
        )

    def has_words(self, *texts: str) -> bool:
        """The same for text that is not in the database."""
        whole = " ".join(texts).lower()
        return all(word.lower() in whole for word in self.words)

    def page_of(self, rows: QuerySet[Any], moment: str) -> QuerySet[Any]:
        """The newest ``limit`` of ``rows`` before the position, by the field ``moment`` and id."""
        return self.older(rows, moment)[: self.limit]

    def older(self, rows: QuerySet[Any], moment: str) -> QuerySet[Any]:
        """All of ``rows`` before the position, newest first: for a source that picks in Python."""
        if self.before:
            older = Q(**{f"{moment}__lt": self.before.at})
            same = Q(**{moment: self.before.at, "pk__lt": self.before.id})
            # The first condition is what an index can start from.
            rows = rows.filter(Q(**{f"{moment}__lte": self.before.at}), older | same)
        return rows.order_by(f"-{moment}", "-pk")


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
    services: Iterable[str] = (),
    text: str = "",
    before: Position | None = None,
    limit: int = PAGE_SIZE,
) -> Page:
    """A page of a customer's timeline. ``viewer`` is the actor id that private notes are kept from.

    ``text`` narrows it to entries that hold each of its words. Each source is asked once, by its
    index, whatever the length of the history.
    """
    question = Question(
        customer_id=customer_id,
        viewer=viewer,
        categories=frozenset(categories),
        services=frozenset(services),
        words=tuple(text.replace("\0", " ").split()[:MOST_WORDS]),
        before=before,
        limit=limit + 1,
    )
    merged = _newest_first(source(question) for source in _sources)
    entries = list(islice(merged, limit + 1))
    if len(entries) <= limit:
        return Page(entries, None)
    last = entries[limit - 1]
    return Page(entries[:limit], Position(last.at, last.id))


# What is planned for a customer, by whoever plans it: a moment still to come each, in any order.
Planner = Callable[[UUID, str, datetime], Iterable[Entry]]
_planners: list[Planner] = []


def plans_ahead(planner: Planner) -> Planner:
    """Register ``planner(customer_id, viewer, now)``, asked once for every look at a customer."""
    _planners.append(planner)
    return planner


def read_coming(*, customer_id: UUID, viewer: str, now: datetime) -> list[Entry]:
    """What will happen to the customer as far as we know, soonest first, at most twenty."""
    entries = [entry for planner in _planners for entry in planner(customer_id, viewer, now)]
    return sorted(entries, key=lambda entry: (entry.at, entry.id))[:COMING_SIZE]


def _newest_first(answers: Iterable[Iterable[Entry]]) -> Iterator[Entry]:
    return heapq.merge(*answers, key=lambda entry: (entry.at, entry.id), reverse=True)


@timeline_source
def _activities(question: Question) -> Iterator[Entry]:
    rows = Activity.objects.filter(
        question.says("title", "description"), customer_id=question.customer_id
    )
    if question.categories:
        rows = rows.filter(category__in=question.categories)
    if question.services:
        rows = rows.filter(source_service__in=question.services)
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
    notes = CustomerNote.objects.visible_to(question.viewer)
    rows = notes.filter(question.says("content"), customer_id=question.customer_id)
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


@plans_ahead
def _follow_ups(customer_id: UUID, viewer: str, now: datetime) -> Iterator[Entry]:
    """What staff mean to come back to, from today on; overdue ones are on the notes themselves."""
    notes = CustomerNote.objects.visible_to(viewer).filter(FOLLOW_UP_OPEN, customer_id=customer_id)
    today = timezone.localdate(now)
    for note in notes.filter(follow_up_on__gte=today).order_by("follow_up_on", "pk")[:COMING_SIZE]:
        yield Entry(
            at=timezone.make_aware(datetime.combine(note.follow_up_on, time())),
            id=note.pk,
            kind="follow_up",
            category=ActivityCategory.SUPPORT,
            type="FOLLOW_UP",
            title="Follow up",
            description=note.content,
            author=note.created_by,
            is_private=note.is_private,
        )
