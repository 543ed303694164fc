"""What a merged profile holds of each field: whose value, and why. Pure.

A value beats a blank. Between two values the one counts that the field's owner said, the later of
two such; then an address known to work; then the newer word, where it is known when both were said;
then the survivor's. A pick by hand beats all of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crm_site.errors import DomainError
from customers.choices import CustomerStatus, LifecycleStage
from customers.models import CustomerProfile
from customers.services.facts import IDENTIFIERS
from customers.services.ownership import OWNER, microseconds

Side = Literal["survivor", "absorbed"]
Pick = Literal["survivor", "absorbed", "both"]
# same: no choice. only_value: the other is blank. owner, verified, newest: the default's reason.
# kept: the survivor's, for want of a reason. both: united. furthest, stricter: the rule of that
# field. together: it goes with its group.
Why = Literal[
    "same", "only_value", "owner", "verified", "newest", "kept", "both", "furthest", "stricter",
    "together", "picked",
]  # fmt: skip


class MergeError(DomainError):
    """These two profiles cannot be merged like this."""


_ADDRESS = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
_MEMBERSHIP = ("membership_tier", "membership_status", "member_since", "membership_expiry")
_HANDICAP = ("handicap", "handicap_provider", "handicap_updated_at")
_HOME_CLUB = ("home_club_id", "home_club_name")
_POSITION = ("latitude", "longitude")
# Parts of one fact: where two profiles contradict each other in one, the rest follows it.
GROUPS = (_ADDRESS, _MEMBERSHIP, _HANDICAP, _HOME_CLUB, _POSITION)
UNITED = ("tags", "external_ids")
CHOOSABLE = (
    *IDENTIFIERS,
    *("first_name", "last_name", "display_name", "date_of_birth", "gender", "avatar_url"),
    *_ADDRESS,
    *("time_zone", *_POSITION, "status", "lifecycle_stage"),
    *(*_MEMBERSHIP, *_HANDICAP, *_HOME_CLUB),
    *UNITED,
)
LATEST = (
    *("last_booking_at", "last_email_open_at", "last_email_click_at"),
    "lifetime_value_at",
)
# Renewed every night; until then the survivor's stand.
SCORED = (
    *(("engagement_score", "engagement_score_at"), ("churn_risk_score", "churn_risk_score_at")),
    ("predicted_ltv",),
)
_STAGES = (
    *(LifecycleStage.SUBSCRIBER, LifecycleStage.LEAD, LifecycleStage.PROSPECT),
    *(LifecycleStage.CUSTOMER, LifecycleStage.CHURNED, LifecycleStage.MEMBER),
    LifecycleStage.ADVOCATE,
)


@dataclass(frozen=True)
class FieldChoice:
    """One field of both profiles, and what the merged one holds."""

    name: str
    survivor: Any
    absorbed: Any
    result: Any
    pick: Pick
    why: Why

    @property
    def differs(self) -> bool:
        return bool(self.survivor != self.absorbed)


@dataclass(frozen=True)
class Pair:
    """The two profiles, and which e-mail addresses and phone numbers of theirs are verified."""

    survivor: CustomerProfile
    absorbed: CustomerProfile
    verified: frozenset[str] = frozenset()

    def of(self, side: Side) -> CustomerProfile:
        return self.survivor if side == "survivor" else self.absorbed

    def value(self, side: Side, name: str) -> Any:
        return getattr(self.of(side), name)


def check_picks(picks: Mapping[str, str]) -> None:
    """Raises MergeError for a field that is not chosen, or a side that is none."""
    for name, side in picks.items():
        path = f"picks.{name}"
        if name not in CHOOSABLE:
            raise MergeError("This field is not chosen by hand.", path=path, code="unknown_field")
        allowed = ("survivor", "absorbed", "both") if name in UNITED else ("survivor", "absorbed")
        if side not in allowed:
            message = f"Choose one of {', '.join(allowed)}."
            raise MergeError(message, path=path, code="invalid_choice")


def choose_fields(pair: Pair, picks: Mapping[str, str]) -> list[FieldChoice]:
    """A choice for each field that may be chosen, in the order of ``CHOOSABLE``."""
    grouped = _grouped(pair, picks)
    return [_choose(pair, name, picks.get(name), grouped.get(name)) for name in CHOOSABLE]


def _choose(pair: Pair, name: str, picked: str | None, grouped: Side | None) -> FieldChoice:
    ours, theirs = pair.value("survivor", name), pair.value("absorbed", name)
    pick: Pick
    why: Why
    if name in UNITED:
        pick, why = _united_pick(ours, theirs, picked)
        result = _UNITE[name](pair) if pick == "both" else pair.value(pick, name)
        return FieldChoice(name, ours, theirs, result, pick, why)
    if picked is not None and ours != theirs:
        pick, why = ("survivor" if picked == "survivor" else "absorbed"), "picked"
    elif grouped is not None and ours != theirs:
        pick, why = grouped, "together"
    else:
        pick, why = _default(pair, name)
    return FieldChoice(name, ours, theirs, pair.value(pick, name), pick, why)


def _united_pick(ours: Any, theirs: Any, picked: str | None) -> tuple[Pick, Why]:
    if picked in ("survivor", "absorbed"):
        return ("survivor" if picked == "survivor" else "absorbed"), "picked"
    return "both", ("same" if ours == theirs else "both")


def _default(pair: Pair, name: str) -> tuple[Side, Why]:
    ours, theirs = pair.value("survivor", name), pair.value("absorbed", name)
    if ours == theirs:
        return "survivor", "same"
    if name == "status":
        is_ours = ours == CustomerStatus.INACTIVE
        return ("survivor" if is_ours else "absorbed"), "stricter"
    if name == "lifecycle_stage":
        is_ours = _STAGES.index(ours) > _STAGES.index(theirs)
        return ("survivor" if is_ours else "absorbed"), "furthest"
    if _is_blank(ours) or _is_blank(theirs):
        return ("absorbed" if _is_blank(ours) else "survivor"), "only_value"
    tests: tuple[tuple[Why, Callable[[Side], int]], ...] = (
        ("owner", lambda side: _owner_said_at(pair.of(side), name)),
        ("verified", lambda side: _is_verified(pair, side, name)),
    )
    for why, measure in tests:
        ours_by, theirs_by = measure("survivor"), measure("absorbed")
        if ours_by != theirs_by:
            return ("survivor" if ours_by > theirs_by else "absorbed"), why
    ours_at, theirs_at = _said_at(pair.survivor, name), _said_at(pair.absorbed, name)
    if ours_at is None or theirs_at is None or ours_at == theirs_at:
        return "survivor", "kept"
    return ("survivor" if ours_at > theirs_at else "absorbed"), "newest"


def _is_blank(value: Any) -> bool:
    return value is None or value == ""


def _owner_said_at(profile: CustomerProfile, name: str) -> int:
    moment: int = profile.source_times.get(OWNER.get(name, ""), {}).get(name, -1)
    return moment


def _is_verified(pair: Pair, side: Side, name: str) -> int:
    profile = pair.of(side)
    if name == "email" and (profile.last_email_open_at or profile.last_email_click_at):
        return 1
    return int(name in ("email", "phone_number") and getattr(profile, name) in pair.verified)


def _said_at(profile: CustomerProfile, name: str) -> int | None:
    """When a source said it; unknown of what people typed."""
    return max((times[name] for times in profile.source_times.values() if name in times),
               default=None)  # fmt: skip


def _grouped(pair: Pair, picks: Mapping[str, str]) -> dict[str, Side]:
    """The side that the fields of a group follow, where the two contradict each other in it."""
    follow: dict[str, Side] = {}
    for group in GROUPS:
        contradicts = [name for name in group if _contradicts(pair, name)]
        if not contradicts:
            continue
        lead = next((name for name in contradicts if name in picks), contradicts[0])
        if lead in picks:
            side: Side = "survivor" if picks[lead] == "survivor" else "absorbed"
        else:
            side, _ = _default(pair, lead)
        follow |= {name: side for name in group if name != lead}
    return follow


def _contradicts(pair: Pair, name: str) -> bool:
    ours, theirs = pair.value("survivor", name), pair.value("absorbed", name)
    if _is_blank(ours) or _is_blank(theirs):
        return False
    return str(ours).strip().casefold() != str(theirs).strip().casefold()


def _unite_tags(pair: Pair) -> list[str]:
    return [*dict.fromkeys([*pair.survivor.tags, *pair.absorbed.tags])]


def _unite_ids(pair: Pair) -> dict[str, Any] | None:
    ours, theirs = pair.survivor.external_ids or {}, pair.absorbed.external_ids or {}
    united = {**theirs, **ours}
    for key in ours.keys() & theirs.keys():
        if ours[key] != theirs[key] and _id_side(pair, key) == "absorbed":
            united[key] = theirs[key]
    return united or None


def _id_side(pair: Pair, key: str) -> Side:
    """Whose id counts where both have one: the one SCL said last, then the one said last at all."""
    name = f"external_ids.{key}"

    def rank(profile: CustomerProfile) -> tuple[int, int]:
        return profile.source_times.get("scl", {}).get(name, -1), _said_at(profile, name) or -1

    return "absorbed" if rank(pair.absorbed) > rank(pair.survivor) else "survivor"


_UNITE: dict[str, Callable[[Pair], Any]] = {"tags": _unite_tags, "external_ids": _unite_ids}


def added_up(pair: Pair) -> dict[str, Any]:
    """What is not chosen: money added up, the latest moments, scores of whoever has one."""
    ours, theirs = pair.survivor, pair.absorbed
    values: dict[str, Any] = {name: _latest(ours, theirs, name) for name in LATEST}
    worth = [each.lifetime_value for each in (ours, theirs) if each.lifetime_value is not None]
    values["lifetime_value"] = sum(worth) if worth else None
    last = max((ours, theirs), key=lambda each: (_moment(each.last_activity_at), each is ours))
    values["last_activity_at"] = last.last_activity_at
    values["last_activity_type"] = last.last_activity_type
    for names in SCORED:
        holder = ours if getattr(ours, names[0]) is not None else theirs
        values |= {name: getattr(holder, name) for name in names}
    return values


def _moment(value: datetime | None) -> int:
    return -1 if value is None else microseconds(value)


def _latest(ours: CustomerProfile, theirs: CustomerProfile, name: str) -> datetime | None:
    moments = [getattr(each, name) for each in (ours, theirs) if getattr(each, name) is not None]
    return max(moments, default=None)


def carried_times(pair: Pair, choices: Iterable[FieldChoice]) -> dict[str, Any]:
    """Which source said what the merged profile holds, and when: of each field its value's own."""
    sides: dict[str, tuple[Side, ...]] = {
        choice.name: _sides_of(choice) for choice in choices if choice.name != "external_ids"
    }
    carried: dict[str, dict[str, int]] = {}
    for side in ("absorbed", "survivor"):
        for source, said in pair.of(side).source_times.items():
            for name, moment in said.items():
                if side in _sides_of_time(pair, sides, name):
                    held = carried.setdefault(source, {})
                    held[name] = max(held.get(name, moment), moment)
    return carried


def _sides_of(choice: FieldChoice) -> tuple[Side, ...]:
    if choice.pick == "both" or not choice.differs:
        return ("survivor", "absorbed")
    return (choice.pick,)


def _sides_of_time(pair: Pair, sides: dict[str, tuple[Side, ...]], name: str) -> tuple[Side, ...]:
    field, _, key = name.partition(".")
    if field != "external_ids":
        return sides.get(name, ("survivor", "absorbed"))
    ours, theirs = pair.survivor.external_ids or {}, pair.absorbed.external_ids or {}
    if ours.get(key) == theirs.get(key):
        return ("survivor", "absorbed")
    if key not in ours or key not in theirs:
        return ("survivor",) if key in ours else ("absorbed",)
    return (_id_side(pair, key),)
