"""Which pairs somebody goes through, and in which order.

The filters of the list narrow the review as well: its pages carry them along, in the parameter that
Django's admin uses to find back to a filtered list.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.backoffice import filters
from customers.choices import CandidateKind, DuplicateResolution
from customers.models import DuplicateCandidate

FILTERS = "_changelist_filters"
COUNT_UP_TO = 1000
EVIDENCE = {
    "email": "Same e-mail address",
    "phone": "Same phone number",
    "address": "Same address",
    "name_dob": "Same name and date of birth",
    "name_fuzzy": "Similar name",
    "name": "Same name",
}


class ReviewFilter(filters.DropdownFilter):
    """A choice that narrows the list, and the review with it."""

    offered: ClassVar[dict[str, str]]

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        """``pairs`` by a value of ``offered``, or by "" where nothing was chosen."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.offered.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.narrow(queryset, str(self.value() or ""), Actor.from_request(request))


class DecisionFilter(ReviewFilter):
    """What is still to review shows unless something else is asked for."""

    title = "decision"
    parameter_name = "decision"
    all_option = ("", "To review")
    offered: ClassVar[dict[str, str]] = {
        **{value: label for value, label in DuplicateResolution.choices if value != "PENDING"},
        "mine": "Decided by me",
    }

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        if value == "mine":
            return pairs.filter(resolved_by=actor.id, resolved_at__isnull=False)
        if value in cls.offered:
            return pairs.filter(resolution=value)
        return pairs.unruled().between_live()  # type: ignore[attr-defined]


class KindFilter(ReviewFilter):
    """Different people of one home wait where nobody meets them who does not ask for them."""

    title = "kind"
    parameter_name = "kind"
    all_option = ("", "May be one person")
    offered: ClassVar[dict[str, str]] = {"family": "Possible family", "any": "Both"}

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        if value == "any":
            return pairs
        is_family = Q(kind=CandidateKind.HOUSEHOLD)
        if value == "family":
            return pairs.filter(is_family)
        return pairs.exclude(is_family, resolution=DuplicateResolution.PENDING)


class SureFilter(ReviewFilter):
    title = "how sure"
    parameter_name = "sure"
    offered: ClassVar[dict[str, str]] = {
        "95": "Almost certain (95 % and more)",
        "85": "Likely (85 to 94 %)",
        "50": "Perhaps (50 to 84 %)",
        "0": "Hardly (under 50 %)",
    }
    below: ClassVar[dict[str, int]] = {"95": 101, "85": 95, "50": 85, "0": 50}

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        if value not in cls.offered:
            return pairs
        return pairs.filter(match_score__gte=int(value), match_score__lt=cls.below[value])


class EvidenceFilter(ReviewFilter):
    title = "what they share"
    parameter_name = "why"
    offered = EVIDENCE

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        return pairs.filter(match_type=value) if value in cls.offered else pairs


class FoundFilter(ReviewFilter):
    title = "found"
    parameter_name = "found"
    offered: ClassVar[dict[str, str]] = {
        "1": "Since yesterday",
        "7": "In the last week",
        "30": "In the last month",
        "older": "Longer ago",
    }

    @classmethod
    def narrow(cls, pairs: QuerySet[Any], value: str, actor: Actor) -> QuerySet[Any]:
        now = timezone.now()
        if value == "older":
            return pairs.filter(created_at__lt=now - timedelta(days=30))
        if value in cls.offered:
            return pairs.filter(created_at__gte=now - timedelta(days=int(value)))
        return pairs


REVIEW_FILTERS: tuple[type[ReviewFilter], ...] = (
    DecisionFilter,
    KindFilter,
    SureFilter,
    EvidenceFilter,
    FoundFilter,
)


@dataclass(frozen=True)
class Queue:
    """The pairs to go through, as the list was narrowed: ``query`` is its own query string."""

    query: str
    actor: Actor

    @classmethod
    def of(cls, request: HttpRequest) -> "Queue":
        said = request.POST.get(FILTERS) or request.GET.get(FILTERS, "")
        return cls(said[:500], Actor.from_request(request))

    def pairs(self) -> Any:
        pairs: QuerySet[Any] = DuplicateCandidate.objects.order_by("-match_score", "-pk")
        asked = QueryDict(self.query)
        for each in REVIEW_FILTERS:
            name = str(each.parameter_name)
            pairs = each.narrow(pairs, asked.get(name, ""), self.actor)
        return pairs

    def next(self, pair: DuplicateCandidate) -> UUID | None:
        """The pair after this one; behind the last comes the first that is left."""
        following: UUID | None = self.pairs().after(pair).values_list("pk", flat=True).first()
        return following or self.first(leaving_out=pair)

    def previous(self, pair: DuplicateCandidate) -> UUID | None:
        before: UUID | None = self.pairs().before(pair).values_list("pk", flat=True).first()
        return before

    def first(self, leaving_out: DuplicateCandidate | None = None) -> UUID | None:
        pairs = self.pairs()
        if leaving_out is not None:
            pairs = pairs.exclude(pk=leaving_out.pk)
        found: UUID | None = pairs.values_list("pk", flat=True).first()
        return found

    def place(self, pair: DuplicateCandidate) -> tuple[int, int]:
        """``(3, 41)``: the third of 41, each counted up to 1,000; the 0th is not among them."""
        total = self.pairs()[:COUNT_UP_TO].count()
        if not self.pairs().filter(pk=pair.pk).exists():
            return 0, total
        return self.pairs().before(pair)[:COUNT_UP_TO].count() + 1, total

    def url(self, pk: UUID | None) -> str:
        """The page of a pair; without one, of what to do when all are done."""
        if pk is None:
            url = reverse("admin:customers_duplicatecandidate_review")
        else:
            url = reverse("admin:customers_duplicatecandidate_change", args=[pk])
        return f"{url}?{urlencode({FILTERS: self.query})}" if self.query else url

    def url_after(self, pair: DuplicateCandidate) -> str:
        return self.url(self.next(pair))
