"""Two customers beside each other, and what merging them would make of each field."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from crm_site.backoffice.formats import ago, exactly
from customers.admin import cells
from customers.models import CustomerProfile
from customers.services.merge_fields import GROUPS, UNITED, FieldChoice
from customers.services.ownership import OWNER

LABELS = {
    "email": "E-mail",
    "phone_number": "Phone",
    "auth_user_id": "Sign-in",
    "teetime_player_id": "TeeTime player",
    "messaging_contact_id": "Messaging contact",
    "external_ids": "Ids elsewhere",
    "address_line1": "Address",
    "membership_tier": "Membership",
    "avatar_url": "Photo",
}
# In this order, whatever differs first. Anything else that may be chosen comes behind.
ORDER = (
    *("first_name", "last_name", "display_name", "email", "phone_number", "date_of_birth"),
    *("gender", "address_line1", "scl_member_id", "membership_tier", "handicap", "home_club_id"),
    *("lifecycle_stage", "status", "tags"),
)
# Of a group that belongs together, what is shown; the rest of it follows.
SHOWN_OF_GROUP = {
    "handicap": ("handicap", "handicap_provider"),
    "home_club_id": ("home_club_name",),
}
NOT_SHOWN = {"latitude"}  # Follows from the address.
IDENTIFYING = (
    *("email", "phone_number", "scl_member_id"),
    *("auth_user_id", "teetime_player_id", "messaging_contact_id"),
)
OWNER_NAMES = {"scl": "SCL", "teetime": "TeeTime", "messaging": "Messaging"}
WHYS = {
    "only_value": "the other has none",
    "verified": "known to work",
    "newest": "the newer one",
    "both": "both are kept",
    "furthest": "who is further counts",
    "stricter": "the stricter counts",
    "together": "belongs together",
    "picked": "your choice",
}


@dataclass(frozen=True)
class PersonCard:
    """Who one of the two is, above their column. ``side``: first or second."""

    side: str
    customer: CustomerProfile
    url: str
    avatar: SafeString
    stage: SafeString
    lights: SafeString
    seen: SafeString | str
    known: SafeString | str
    survives: bool


@dataclass(frozen=True)
class Cell:
    """One customer's value. ``owner``: the service that keeps this field."""

    side: str
    text: str
    is_picked: bool
    owner: str = ""


@dataclass(frozen=True)
class Row:
    """One field, or several that belong together. ``pick``: the field that is chosen for all."""

    field: str
    pick: str
    label: str
    cells: tuple[Cell, Cell]
    result: str
    why: str
    differs: bool
    may_choose: bool
    may_keep_both: bool
    keeps_both: bool

    @property
    def is_worth_showing(self) -> bool:
        return any(cell.text for cell in self.cells) and (self.differs or self.field != "status")


def person_card(customer: CustomerProfile, side: str, *, survives: bool) -> PersonCard:
    return PersonCard(
        side=side,
        customer=customer,
        url=reverse("admin:customers_customerprofile_change", args=[customer.pk]),
        avatar=cells.avatar(customer),
        stage=cells.stage(customer),
        lights=cells.lights(customer),
        seen=ago(customer.last_activity_at),
        known=ago(customer.created_at),
        survives=survives,
    )


def rows_of(choices: Iterable[FieldChoice], *, survivor_first: bool) -> list[Row]:
    """A row for what either has, the differing first; whoever survives, the columns stay."""
    by_name = {choice.name: choice for choice in choices}
    shown = (fields for fields in _fields_of_rows(by_name) if fields[0].name not in NOT_SHOWN)
    rows = [_row(fields, survivor_first) for fields in shown]
    place = {name: number for number, name in enumerate(ORDER)}
    known = sorted(rows, key=lambda row: place.get(row.field, len(ORDER)))
    return sorted((row for row in known if row.is_worth_showing), key=lambda row: not row.differs)


def lead_of(fields: list[FieldChoice]) -> FieldChoice:
    """The field whose pick the others of its group follow: the first in which both contradict."""
    contradicting = (
        each for each in fields
        if each.survivor and each.absorbed and _folded(each.survivor) != _folded(each.absorbed)
    )  # fmt: skip
    return next(contradicting, fields[0])


def fingerprint(choices: Iterable[FieldChoice]) -> str:
    """Changes when a value does, so that nobody merges what they have not seen."""
    values = [(each.name, sorted(map(str, (each.survivor, each.absorbed)))) for each in choices]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _fields_of_rows(by_name: dict[str, FieldChoice]) -> Iterator[list[FieldChoice]]:
    grouped = {name: group for group in GROUPS for name in group}
    for name, choice in by_name.items():
        group = grouped.get(name)
        if group is None:
            yield [choice]
        elif name == group[0]:
            yield [by_name[each] for each in group]


def _row(fields: list[FieldChoice], survivor_first: bool) -> Row:
    lead, first = lead_of(fields), fields[0].name
    sides = ("survivor", "absorbed") if survivor_first else ("absorbed", "survivor")
    texts = {side: _text(fields, side) for side in (*sides, "result")}
    is_chosen = _contradict(lead) if len(fields) > 1 else lead.survivor != lead.absorbed
    keeps_both = lead.pick == "both"
    made = tuple(
        Cell(
            side=column,
            text=texts[side],
            is_picked=bool(texts[side]) and (lead.pick == side or not texts[other]),
            owner=OWNER_NAMES.get(OWNER.get(first, ""), "") if texts[side] else "",
        )
        for column, side, other in zip(("first", "second"), sides, sides[::-1], strict=True)
    )
    return Row(
        field=first,
        pick=lead.name,
        label=label(first),
        cells=(made[0], made[1]),
        result=texts["result"],
        why=_why(lead, fields),
        differs=texts["survivor"] != texts["absorbed"],
        may_choose=is_chosen and all(cell.text for cell in made),
        may_keep_both=first in UNITED,
        keeps_both=keeps_both,
    )


def _contradict(choice: FieldChoice) -> bool:
    both = choice.survivor, choice.absorbed
    return all(value not in (None, "", []) for value in both) and _folded(both[0]) != _folded(
        both[1]
    )


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _why(lead: FieldChoice, fields: list[FieldChoice]) -> str:
    if not any(each.differs for each in fields):
        return ""
    name = fields[0].name
    if lead.why == "owner":
        why = f"{OWNER_NAMES[OWNER[lead.name]]} said so last"
    elif len(fields) > 1 and not lead.differs:
        why = "filled in from both"
    else:
        why = WHYS.get(lead.why, "")
    is_second_kept = name in IDENTIFYING and lead.survivor is not None and lead.absorbed is not None
    return f"{why}; the other is kept beside it" if is_second_kept else why


def _text(fields: list[FieldChoice], side: str) -> str:
    shown = SHOWN_OF_GROUP.get(fields[0].name)
    values = [
        words_for(each.name, getattr(each, side))
        for each in fields
        if shown is None or each.name in shown
    ]
    return ", ".join(value for value in values if value)


def label(name: str) -> str:
    if name in LABELS:
        return LABELS[name]
    said = str(label_for_field(name, CustomerProfile))
    return said[:1].upper() + said[1:]


def words_for(name: str, value: Any) -> str:
    """A field's value for people; "" for none."""
    if value in (None, "", [], {}):
        return ""
    field: Any = CustomerProfile._meta.get_field(name)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    match value:
        case list():
            return ", ".join(value)
        case dict():
            return ", ".join(f"{key} {held}" for key, held in value.items())
        case datetime():
            return exactly(value)
    if name == "member_since":
        return f"since {date_format(value, 'j F Y')}"
    if name == "membership_expiry":
        return f"until {date_format(value, 'j F Y')}"
    if name == "membership_status":
        return str(value).capitalize()
    return date_format(value, "j F Y") if hasattr(value, "isoformat") else str(value)
