"""What is done with a file: which column is which field, what is added, whose word counts."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst

from customers.choices import OnConflict
from customers.models import CustomerProfile
from customers.services.facts import JSON_NAMES
from customers.services.importing.errors import ImportFileError
from customers.services.importing.layouts import Layout

FIELDS = frozenset(JSON_NAMES.values())
DATE_ORDERS = {"ISO": "2026-03-31", "DMY": "31/03/2026", "MDY": "03/31/2026"}
DATE_FIELDS = {"dateOfBirth", "memberSince", "membershipExpiry"}
# Words of a header that say which field it is, beside the field's own name.
WORDS = {
    "email": "email e-mail mail emailaddress mailaddress epos",
    "phoneNumber": "phone mobile cell cellphone cellular tel telephone phonenumber mobilenumber "
    "cellnumber telephonenumber contactnumber msisdn selfoon",
    "firstName": "firstname first name forename givenname christianname voornaam",
    "lastName": "lastname last surname familyname van",
    "displayName": "displayname fullname knownas",
    "sclMemberId": "membernumber memberno memberid member membership no number lidnommer",
    "dateOfBirth": "dateofbirth dob birthday birthdate born geboortedatum",
    "gender": "gender sex",
    "addressLine1": "address address1 addressline1 street streetaddress adres",
    "addressLine2": "address2 addressline2 suburb",
    "city": "city town stad",
    "state": "state province region provinsie",
    "postalCode": "postalcode postcode zip zipcode code poskode",
    "country": "country countrycode",
    "handicap": "handicap hcp index handicapindex",
    "membershipTier": "tier membershiptier membershiptype category membershipcategory class",
    "membershipStatus": "status membershipstatus memberstatus",
    "memberSince": "membersince joined joindate datejoined",
    "membershipExpiry": "membershipexpiry expiry expires renewal renewaldate expirydate",
    "homeClubName": "homeclub club",
    "lifecycleStage": "stage lifecyclestage",
    "tags": "tags tag labels groups",
}
_BY_WORD = {word: name for name, words in WORDS.items() for word in words.split()}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d ()./-]{9,20}")


def labels() -> dict[str, str]:
    """Every field a column may be, and what people call it, in the data model's order."""
    fields: Any = CustomerProfile._meta
    return {
        name: str(capfirst(fields.get_field(field_name).verbose_name))
        for field_name, name in JSON_NAMES.items()
    }


@dataclass(frozen=True)
class Plan:
    """``columns`` holds a field per column, None for one that is left out; ``constants`` are given
    to every row; ``add_tags`` are added to the tags there are."""

    columns: tuple[str | None, ...]
    layout: Layout = field(default_factory=Layout)
    constants: dict[str, str] = field(default_factory=dict)
    add_tags: tuple[str, ...] = ()
    on_conflict: str = OnConflict.OVERWRITE
    date_order: str = "ISO"

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "layout": self.layout.to_json(),
            "constants": self.constants,
            "addTags": list(self.add_tags),
            "onConflict": str(self.on_conflict),
            "dateOrder": self.date_order,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Plan":
        return cls(
            columns=tuple(said["columns"]),
            layout=Layout.from_json(said["layout"]),
            constants=dict(said["constants"]),
            add_tags=tuple(said["addTags"]),
            on_conflict=said["onConflict"],
            date_order=said["dateOrder"],
        )


def check_plan(plan: Plan) -> None:
    """Raise ImportFileError naming the first thing that nobody could mean."""
    named = [name for name in plan.columns if name]
    for name in [*named, *plan.constants]:
        if name not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise ImportFileError(
                f"Unknown column {name!r}. Known are: {known}.", path=name, code="unknown_field"
            )
    twice = [name for name, times in Counter(named).items() if times > 1]
    if twice:
        raise ImportFileError(f"The column {twice[0]!r} is there twice.", path=twice[0])
    both = [name for name in plan.constants if name in named]
    if both:
        raise ImportFileError(
            f"{both[0]!r} is read from a column and given to every row as well.", path=both[0]
        )
    if not named:
        raise ImportFileError("Say of at least one column what it is.", path="columns")
    if plan.on_conflict not in OnConflict.values:
        raise ImportFileError(f"One of {', '.join(OnConflict.values)}.", path="onConflict")
    if plan.date_order not in DATE_ORDERS:
        raise ImportFileError(f"One of {', '.join(DATE_ORDERS)}.", path="dateOrder")


def header_hash(header: Sequence[str]) -> str:
    """The same for two files with the same columns."""
    return hashlib.sha256(json.dumps([name.casefold() for name in header]).encode()).hexdigest()


def guess_columns(header: Sequence[str], samples: Sequence[Sequence[str]]) -> list[str | None]:
    """Which field each column seems to be, by its name, else by what is in it; None: no idea."""
    found: list[str | None] = [_by_name(name) for name in header]
    for place, name in enumerate(found):
        if name is None:
            cells = [row[place].strip() for row in samples if place < len(row)]
            found[place] = _by_values([cell for cell in cells if cell])
    taken: set[str] = set()
    for place, name in enumerate(found):
        if name in taken:
            found[place] = None
        elif name:
            taken.add(name)
    return found


def _by_name(header: str) -> str | None:
    if header in FIELDS:
        return header
    word = re.sub(r"[^a-z0-9]", "", header.casefold())
    exact = {name.casefold(): name for name in FIELDS}
    return exact.get(word) or _BY_WORD.get(word)


def _by_values(cells: Sequence[str]) -> str | None:
    if not cells:
        return None
    for pattern, name in ((_EMAIL, "email"), (_PHONE, "phoneNumber")):
        if sum(bool(pattern.fullmatch(cell)) for cell in cells) > 0.8 * len(cells):
            return name
    return None


def guess_date_order(columns: Sequence[str | None], samples: Sequence[Sequence[str]]) -> str:
    """How dates are written, by those that can be read one way only."""
    votes: Counter[str] = Counter()
    for place, name in enumerate(columns):
        if name not in DATE_FIELDS:
            continue
        for row in samples:
            match = SLASHED.fullmatch(row[place].strip()) if place < len(row) else None
            if match:
                first, second = int(match[1]), int(match[2])
                # 03/04/2026 says nothing; most of the world means 3 April.
                votes["MDY" if second > 12 else "DMY"] += 10 if max(first, second) > 12 else 1
    return votes.most_common(1)[0][0] if votes else "ISO"


SLASHED = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})")


def iso_date(text: str, order: str) -> str:
    """A date of the given order as ISO 8601 has it; what is not written like that, as it is."""
    match = SLASHED.fullmatch(text.strip()) if order != "ISO" else None
    if match is None:
        return text
    day, month = (match[1], match[2]) if order == "DMY" else (match[2], match[1])
    return f"{match[3]}-{int(month):02}-{int(day):02}"
