"""What a merge would do beside the fields, in words for people."""

from collections.abc import Iterator
from dataclasses import dataclass

from customers.choices import IdentityAliasType
from customers.services.merge_plan import Clash, ConsentOutcome, MergePlan

CLASH_ICONS = {
    "segment": "groups",
    "message": "mail",
    "journey": "route",
    "duplicate": "person_search",
}


@dataclass(frozen=True)
class Settled:
    """Something both have, and how it is settled. ``names`` are of what clashes."""

    icon: str
    text: str
    names: str
    is_warning: bool = False


def consequences_of(plan: MergePlan) -> dict[str, object]:
    """What the panel below the two columns shows."""
    return {
        "moving": [each.words for each in plan.moving],
        "also_known": [_identifier(*each) for each in plan.identifiers],
        "consents": list(_consents(plan)),
        "clashes": [_clash(each) for each in plan.clashes],
    }


def _identifier(kind: str, value: str) -> str:
    if kind == IdentityAliasType.EXTERNAL_ID:
        return value.partition(":")[2]
    return value


def _consents(plan: MergePlan) -> Iterator[Settled]:
    for outcome in plan.consents:
        if outcome.survivor.is_opted_in != outcome.absorbed.is_opted_in:
            who = _who_said_no(plan, outcome)
            text = f"{outcome.channel.label}: no. {who} did not agree, and the stricter counts."
            yield Settled("do_not_disturb_on", text, "", is_warning=outcome.is_lost)


def _who_said_no(plan: MergePlan, outcome: ConsentOutcome) -> str:
    refuses = plan.absorbed if outcome.survivor.is_opted_in else plan.survivor
    other = plan.survivor if outcome.survivor.is_opted_in else plan.absorbed
    if refuses.name != other.name:
        return refuses.name
    return "The record merged away" if refuses is plan.absorbed else "The record that stays"


def _clash(clash: Clash) -> Settled:
    return Settled(
        icon=CLASH_ICONS.get(clash.kind, "call_merge"),
        text=clash.settled,
        names=", ".join(clash.names),
        is_warning=clash.kind == "journey",
    )
