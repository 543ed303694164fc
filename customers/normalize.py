"""One spelling for every address, and whether two first names can be one person's. Pure."""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# Short forms that share no prefix with the name they stand for, English and Afrikaans. A pair
# missing here costs a look by staff, never a wrong merge.
NICKNAMES = (
    {"william", "bill", "billy", "will", "willie", "willem", "wim"},
    {"robert", "bob", "bobby", "rob", "robbie", "bert"},
    {"richard", "dick", "rick", "ricky", "rich"},
    {"margaret", "peggy", "maggie", "meg", "greta", "margie"},
    {"elizabeth", "liz", "lizzie", "beth", "betty", "eliza", "lisa", "bess", "libby", "elsabe"},
    {"james", "jim", "jimmy", "jamie"},
    {"john", "jack", "johnny", "jon", "johan", "johannes", "hannes", "jan"},
    {"charles", "chuck", "charlie", "chas"},
    {"edward", "ted", "ned", "eddie", "teddy"},
    {"katherine", "catherine", "kate", "kathy", "cathy", "kitty", "katie", "kit", "cate"},
    {"anthony", "tony", "antonie"},
    {"henry", "harry", "hank", "hendrik", "hennie"},
    {"michael", "mike", "mick", "mickey"},
    {"francis", "frank", "frans", "francois"},
    {"lawrence", "larry", "laurie"},
    {"dorothy", "dot", "dolly"},
    {"sarah", "sally", "sara"},
    {"mary", "molly", "polly", "maria", "marie"},
    {"ann", "anne", "anna", "annie", "nancy"},
    {"petrus", "piet", "pieter", "peter", "pete"},
    {"jacobus", "kobus", "koos", "jaco", "jacob"},
    {"gerhardus", "gert", "gerhard"},
    {"susan", "sue", "susanna", "suzanne", "susie"},
    {"alexander", "alex", "sandy", "sasha", "xander"},
    {"eleanor", "ellie", "nell", "nora"},
    {"patricia", "pat", "trish", "patty", "tricia"},
    {"joseph", "joe", "joey", "jo"},
    {"stephen", "steven", "steve", "stefan"},
)
TITLES = {"mr", "mrs", "ms", "miss", "dr", "prof", "mnr", "mev", "adv", "rev", "sir"}


class NormalizeError(ValueError):
    """A value is not what its field holds; the message is safe to show."""


def normalize_email(value: str) -> str:
    """The address in lower case without surrounding space. Raises NormalizeError."""
    email = value.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise NormalizeError("This is not an e-mail address.") from None
    if len(email) > 254:  # RFC 5321 allows no longer path.
        raise NormalizeError("An e-mail address has at most 254 characters.")
    return email


def normalize_phone(value: str, country: str) -> str:
    """The number in E.164 (ITU-T E.164), as in +27825550101. Raises NormalizeError.

    ``country`` (ISO 3166-1 alpha-2) reads a number written without its country code.
    """
    try:
        number = phonenumbers.parse(value.strip(), country)
    except phonenumbers.NumberParseException:
        raise NormalizeError("This is not a phone number.") from None
    if number.extension or not phonenumbers.is_possible_number(number):
        raise NormalizeError("This is not a phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def fold_name(name: str) -> str:
    """Letters and single spaces only, lower case, without accents or titles."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char)
    )
    words = re.sub(r"[^\w]+", " ", plain.casefold()).split()
    return " ".join([word for word in words if word not in TITLES] or words)


def first_names_contradict(one: str | None, other: str | None) -> bool:
    """Whether both are known and cannot be one person's, allowing nickname, initial and typo."""
    if not one or not other:
        return False
    ones, others = fold_name(one).split(), fold_name(other).split()
    if not ones or not others:
        return False
    # "Jan Hendrik" goes by either of his names.
    return not any(_may_be_same(left, right) for left in ones for right in others)


def _may_be_same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if longer.startswith(shorter):  # The same, an initial, or a short form: Ben and Benjamin.
        return True
    if any(one in group and other in group for group in NICKNAMES):
        return True
    return len(shorter) > 3 and is_within_one_edit(one, other)


def is_within_one_edit(one: str, other: str) -> bool:
    """Whether one letter added, dropped, replaced or swapped with the next makes them equal."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
    left, right = one[start:], other[start:]
    is_swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:] and len(left) > 1
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or is_swapped
