"""The two customers of a page, who survives, and what was chosen by hand in its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse

from customers.admin.review.comparing import fingerprint, person_card, rows_of
from customers.admin.review.consequences import consequences_of
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.duplicates import likelier_survivor
from customers.services.merge_fields import Pair, choose_fields
from customers.services.merge_plan import MergePlan, plan_merge
from customers.services.merging import with_verified

PICK = "pick-"
SIDES = ("first", "second")


@dataclass(frozen=True)
class Couple:
    """Two customers beside each other; ``pair`` where they wait in the queue."""

    first: CustomerProfile
    second: CustomerProfile
    pair: DuplicateCandidate | None = None

    def of(self, side: str) -> CustomerProfile:
        return self.second if side == "second" else self.first

    def url(self, action: str) -> str:
        """Where the form of the page sends: ``preview`` or ``merge``."""
        if self.pair is not None:
            name = f"admin:customers_duplicatecandidate_{action}"
            return reverse(name, args=[self.pair.pk])
        name = f"admin:customers_duplicatecandidate_compare_{action}"
        return reverse(name, args=[self.first.pk, self.second.pk])


@dataclass(frozen=True)
class Proposal:
    """Who survives, and the fields that are decided otherwise than by rule.

    ``survivor``: first or second; picks by field: survivor, absorbed or both.
    """

    couple: Couple
    survivor: str
    picks: dict[str, str]

    @property
    def survivor_id(self) -> UUID:
        return self.couple.of(self.survivor).pk

    @property
    def absorbed_id(self) -> UUID:
        return self.couple.of("first" if self.survivor == "second" else "second").pk

    def plan(self) -> MergePlan:
        """Raises MergeError where these two cannot be merged."""
        return plan_merge(
            survivor_id=self.survivor_id, absorbed_id=self.absorbed_id, picks=self.picks
        )


def proposal_of(couple: Couple, said: Mapping[str, Any] | None = None) -> Proposal:
    """What the form says; without one, what is proposed first.

    A radio that stands where the page drew it was not chosen: when the survivor is swapped, it goes
    with the rule again.
    """
    if said is None or said.get("survivor") not in SIDES:
        likelier = likelier_survivor(couple.first, couple.second)
        return Proposal(couple, "first" if likelier is couple.first else "second", {})
    drawn = said.get("drawn", "")
    drawn = drawn if drawn in SIDES else said["survivor"]
    return Proposal(couple, said["survivor"], _picks(couple, said, drawn))


def _picks(couple: Couple, said: Mapping[str, Any], drawn: str) -> dict[str, str]:
    survivor = couple.of(drawn)
    absorbed = couple.first if survivor is couple.second else couple.second
    by_rule = choose_fields(with_verified(Pair(survivor, absorbed)), {})
    usual = {choice.name: _column(choice.pick, drawn) for choice in by_rule}
    chosen = {
        key.removeprefix(PICK): column
        for key, column in said.items()
        if key.startswith(PICK) and column != usual.get(key.removeprefix(PICK))
    }
    return {
        name: column if column not in SIDES else _side(column, said["survivor"])
        for name, column in chosen.items()
    }


def _column(pick: str, survivor: str) -> str:
    if pick == "both":
        return pick
    return survivor if pick == "survivor" else _other(survivor)


def _side(column: str, survivor: str) -> str:
    return "survivor" if column == survivor else "absorbed"


def _other(side: str) -> str:
    return "first" if side == "second" else "second"


def both_of(proposal: Proposal) -> dict[str, Any]:
    """Everything that changes while somebody chooses: the columns, the result, what follows."""
    plan, couple = proposal.plan(), proposal.couple
    rows = rows_of(plan.fields, survivor_first=proposal.survivor == "first")
    return {
        "people": [
            person_card(couple.of(side), side, survives=side == proposal.survivor) for side in SIDES
        ],
        "rows": rows,
        "differing": [row for row in rows if row.differs],
        "agreeing": [row for row in rows if not row.differs],
        "survivor": proposal.survivor,
        "plan": plan,
        "seen": fingerprint(plan.fields),
        "preview_url": couple.url("preview"),
        "merge_url": couple.url("merge"),
        **consequences_of(plan),
    }
