"""Why two profiles may be one person: for the row, and in a sentence for people.

What is kept says how fields agree, never their values; those are read live.
"""

from dataclasses import dataclass
from typing import Any

# How sure agreement on one thing can make anybody, as long as something else contradicts it.
OTHER_FIRST_NAME, GENERATION = "other first name", "15 or more years apart"
OTHER_BIRTH, NO_BIRTH = "other date of birth", "a date of birth is missing"
ADDRESS_ONLY = "beside the name only the address agrees"
CAPS = {OTHER_FIRST_NAME: 40, GENERATION: 40, OTHER_BIRTH: 45, ADDRESS_ONLY: 65, NO_BIRTH: 84}
SWAPPED = "first and last name swapped"
HOMES = ("same address", "similar address")

# What a reviewer is to look at where a cap holds.
CHECKS = {
    OTHER_FIRST_NAME: "the first names differ, as relatives' do",
    GENERATION: "they were born 15 or more years apart, as a parent and a child",
    OTHER_BIRTH: "the dates of birth differ, as namesakes' do",
    ADDRESS_ONLY: "beside the name only the address agrees, as it does for a parent and a child",
    NO_BIRTH: "a date of birth is missing, so it may be a parent and a child of one name",
}

# What a person reads of, and the words for it where it agrees or not.
FIELDS = {
    "firstName": "first name",
    "lastName": "last name",
    "dateOfBirth": "date of birth",
    "email": "e-mail",
    "phoneNumber": "phone",
    "addressLine1": "address",
    "postalCode": "postcode",
    "city": "town",
}
# A comparison of the model, by the field that stands for it.
COMPARISONS = {"name": "name", "birth": "dateOfBirth", "contact": "contact"}


@dataclass(frozen=True)
class Agreement:
    """One comparison of a pair: the label of its level (None: nothing to compare), and its weight
    in bits: so many times it doubles, or halves, the odds."""

    level: str | None
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two profiles that may be one person: ids in order, what the model says, and the score, 0 to
    100, that ``caps`` hold below it. ``fields`` tells same, similar or different by field."""

    first: str
    second: str
    probability: float
    weight: float
    score: float
    agreements: dict[str, Agreement]
    fields: dict[str, str]
    caps: list[str]

    @property
    def is_household(self) -> bool:
        """Different people who share something."""
        return bool({OTHER_FIRST_NAME, GENERATION, OTHER_BIRTH} & {*self.caps})


def find_caps(agreements: dict[str, Agreement], *, has_other_first_name: bool) -> list[str]:
    """What holds the score of a pair down."""
    birth, contact = agreements["birth"].level, agreements["contact"].level
    is_swapped = agreements["name"].level == SWAPPED
    found = {
        OTHER_FIRST_NAME: has_other_first_name and not is_swapped,
        GENERATION: birth == "dates of birth 15 or more years apart",
        OTHER_BIRTH: birth == "dates of birth less than 15 years apart",
        ADDRESS_ONLY: birth is None and contact in HOMES,
        NO_BIRTH: birth is None,
    }
    return [cap for cap, holds in found.items() if holds]


def match_type(pair: Pair) -> str:
    """The strongest evidence, in a word."""
    contact, birth = pair.agreements["contact"].level or "", pair.agreements["birth"].level
    for begins, word in (("same e-mail", "email"), ("same phone", "phone")):
        if contact.startswith(begins):
            return word
    if contact in HOMES:
        return "address"
    if birth == "same date of birth":
        return "name_dob"
    return "name" if pair.agreements["name"].level == "same name" else "name_fuzzy"


def match_fields(pair: Pair, engine: str) -> dict[str, Any]:
    """What is kept with a pair, as JSON."""
    return {
        "v": 1,
        "engine": engine,
        "probability": round(pair.probability, 4),
        "weight": round(pair.weight, 1),
        "fields": [
            {
                "field": COMPARISONS[name],
                "level": found.level,
                "weight": round(found.weight, 1),
            }
            for name, found in pair.agreements.items()
            if found.level is not None
        ],
        "agreements": pair.fields,
        "caps": pair.caps,
    }


def describe(kept: dict[str, Any]) -> str:
    """ "Same e-mail, similar last name, same postcode; different first name: family?".

    ``kept`` is what ``match_fields`` made. Says nothing of fields that one of them lacks.
    """
    told = _told(kept.get("agreements", {}))
    agreeing = [text for text, agrees in told if agrees]
    differing = [text for text, agrees in told if not agrees]
    sentence = ", ".join(agreeing) or "little in common"
    if differing:
        sentence += f"; {', '.join(differing)}"
    caps = {*kept.get("caps", ())}
    if caps & {OTHER_FIRST_NAME, GENERATION, OTHER_BIRTH}:
        sentence += ": family?"
    sentence = sentence[:1].upper() + sentence[1:]
    return sentence if sentence.endswith("?") else f"{sentence}."


def check(kept: dict[str, Any]) -> str:
    """What holds the score down, to look at: "a date of birth is missing, so …"; "" for nothing.

    ``kept`` is what ``match_fields`` made. Of several the one that holds it lowest.
    """
    held = [cap for cap in CHECKS if cap in kept.get("caps", ())]
    return CHECKS[min(held, key=CAPS.__getitem__)] if held else ""


def _told(agreements: dict[str, str]) -> list[tuple[str, bool]]:
    """Each field in words, and whether it speaks for one person."""
    agreements = dict(agreements)
    told = []
    if agreements.get("firstName") == agreements.get("lastName") == "same":
        del agreements["firstName"], agreements["lastName"]
        told.append(("same name", True))
    elif agreements.get("firstName") == agreements.get("lastName") == "swapped":
        del agreements["firstName"], agreements["lastName"]
        told.append((SWAPPED, True))
    if agreements.get("addressLine1") in ("same", "similar"):  # Says it all.
        agreements.pop("postalCode", None)
        agreements.pop("city", None)
    elif "postalCode" in agreements:
        agreements.pop("city", None)
    for name, words in FIELDS.items():
        if name in agreements:
            found = agreements[name]
            told.append((f"{found} {words}", found != "different"))
    return told
