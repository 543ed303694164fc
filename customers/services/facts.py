"""What one source says about one person: read from JSON, checked, in our own spelling."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from crm_site.access.services import tenant_in_scope
from crm_site.db.names import camel_case
from crm_site.errors import DomainError
from crm_site.tenancy.models import validate_time_zone
from customers.choices import LifecycleStage
from customers.models import CustomerProfile
from customers.models.profile import CONSENT_FIELDS
from customers.normalize import NormalizeError, normalize_email, normalize_phone

# Strongest first, as events.md has it; the links are each their own service's.
IDENTIFIERS = (
    "auth_user_id",
    "scl_member_id",
    "teetime_player_id",
    "messaging_contact_id",
    "email",
    "phone_number",
)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field. ``path`` is in JSON's names: ``data.customer.phoneNumber``."""

    path: str
    code: str
    message: str


class FactError(DomainError):
    """Facts that cannot be taken; carries every fault."""

    code = "invalid"

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__(f"{first.path}: {first.message}", path=first.path, code=first.code)
        self.faults = faults


@dataclass(frozen=True)
class PersonFacts:
    """Facts about one person by the profile's field names, normalised.

    ``identifiers`` holds only known ones; ``fields`` may hold None, which says there is none.
    """

    identifiers: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def first_name(self) -> str | None:
        return self.fields.get("first_name")

    def with_fields(self, fields: Mapping[str, Any]) -> "PersonFacts":
        return PersonFacts(self.identifiers, {**self.fields, **fields})


class _Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = code, message


def as_text(value: Any, *, max_length: int) -> str | None:
    """Trimmed text; a number is read as its digits; blank is None."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _Refusal("invalid", "Text is expected.")
    text = value.strip()
    if len(text) > max_length:
        raise _Refusal("too_long", f"At most {max_length} characters.")
    return text or None


def as_date(value: Any) -> date:
    """A calendar day; of a moment, its day as written."""
    if not isinstance(value, str):
        raise _Refusal("invalid", "A date is expected, as in 1980-02-29.")
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        raise _Refusal("invalid", "A date is expected, as in 1980-02-29.") from None


def as_time(value: Any) -> datetime:
    """A moment with its offset from UTC."""
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, AttributeError, OverflowError):
        message = "A time with its offset is expected, as in 2026-11-22T06:30:00Z."
        raise _Refusal("invalid", message) from None


def as_number(value: Any, *, low: Decimal, high: Decimal, places: int) -> Decimal:
    """A number between two bounds, rounded to ``places``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise _Refusal("invalid", "A number is expected.")
    try:
        number = Decimal(str(value).strip())
        if not low <= number <= high:
            raise _Refusal("out_of_range", f"Between {low} and {high}.")
        return round(number, places)
    except InvalidOperation:
        raise _Refusal("invalid", "A number is expected.") from None


def _as_int(value: Any) -> int:
    number = as_number(value, low=Decimal(1), high=Decimal(2**31 - 1), places=6)
    if number != int(number):
        raise _Refusal("invalid", "A whole number is expected.")
    return int(number)


def _as_country(value: Any) -> str | None:
    code = as_text(value, max_length=2)
    if code is not None and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise _Refusal("invalid", "Two letters are expected (ISO 3166-1), as in ZA.")
    return code.upper() if code else None


def _as_url(value: Any) -> str | None:
    url = as_text(value, max_length=500)
    if url:
        URLValidator(schemes=["http", "https"])(url)
    return url


def _as_zone(value: Any) -> str | None:
    zone = as_text(value, max_length=64)
    if zone:
        validate_time_zone(zone)
    return zone


def _as_ids(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Refusal("invalid", "An object of names and ids is expected.")
    return value


def _as_email(value: Any) -> str | None:
    text = as_text(value, max_length=254)
    return normalize_email(text) if text else None


def _as_phone(value: Any, country: str) -> str | None:
    text = as_text(value, max_length=40)
    return normalize_phone(text, country) if text else None


def _as_tags(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 100:
        raise _Refusal("invalid", "A list of at most 100 tags is expected.")
    tags = [as_text(tag, max_length=64) for tag in value]
    return list(dict.fromkeys(tag for tag in tags if tag))


def _as_stage(value: Any) -> str:
    if value not in LifecycleStage.values:
        raise _Refusal("invalid_choice", f"One of {', '.join(LifecycleStage.values)}.")
    return str(value)


def _text(max_length: int) -> Callable[[Any], Any]:
    return lambda value: as_text(value, max_length=max_length)


def _number(low: str, high: str, places: int) -> Callable[[Any], Any]:
    return lambda value: as_number(value, low=Decimal(low), high=Decimal(high), places=places)


READERS: dict[str, Callable[[Any], Any]] = {
    "auth_user_id": _text(64),
    "scl_member_id": _as_int,
    "teetime_player_id": _text(64),
    "messaging_contact_id": _text(64),
    "external_ids": _as_ids,
    "first_name": _text(100),
    "last_name": _text(100),
    "display_name": _text(200),
    "date_of_birth": as_date,
    "gender": _text(10),
    "avatar_url": _as_url,
    "address_line1": _text(200),
    "address_line2": _text(200),
    "city": _text(100),
    "state": _text(100),
    "postal_code": _text(20),
    "country": _as_country,
    "time_zone": _as_zone,
    "latitude": lambda value: float(_number("-90", "90", 7)(value)),
    "longitude": lambda value: float(_number("-180", "180", 7)(value)),
    "lifecycle_stage": _as_stage,
    "tags": _as_tags,
    "handicap": _number("-20", "60", 1),
    "handicap_provider": _text(32),
    "handicap_updated_at": as_time,
    "home_club_id": _text(64),
    "home_club_name": _text(200),
    "membership_tier": _text(64),
    "membership_status": _text(32),
    "member_since": as_date,
    "membership_expiry": as_date,
    "lifetime_value": _number("-9999999999", "9999999999", 2),
}
JSON_NAMES = {name: camel_case(name) for name in (*READERS, "email", "phone_number")}
FIELD_NAMES = {json_name: name for name, json_name in JSON_NAMES.items()}
_CONSENT_NAMES = {camel_case(name) for name in CONSENT_FIELDS}
_OTHER_NAMES = {camel_case(field.attname) for field in CustomerProfile._meta.concrete_fields}


def read_value(name: str, value: Any, *, path: str, country: str) -> Any:
    """The value of one profile field, normalised. Raises FactError naming ``path``."""
    if value is None or value == "":
        return None
    if name == "email":
        return read_with(_as_email, value, path=path)
    if name == "phone_number":
        return read_with(lambda said: _as_phone(said, country), value, path=path)
    return read_with(READERS[name], value, path=path)


def read_with(reader: Callable[[Any], Any], value: Any, *, path: str) -> Any:
    """``reader(value)``; what it refuses becomes a FactError naming ``path``."""
    try:
        return reader(value)
    except _Refusal as error:
        raise FactError([Fault(path, *error.fault)]) from None
    except NormalizeError as error:
        raise FactError([Fault(path, "invalid", str(error))]) from None
    except ValidationError as error:
        raise FactError([Fault(path, "invalid", error.messages[0])]) from None


def read_person(
    said: Mapping[str, Any], *, country: str, path: str = "", is_strict: bool = False
) -> PersonFacts:
    """Facts from JSON in the data model's names. Raises FactError with every fault.

    ``country`` reads phone numbers without a country code. ``is_strict`` refuses names nobody
    knows, consent and computed fields; otherwise they are passed over, as a source may say more
    than we keep.
    """
    identifiers: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    faults = list(_unwanted(said, path)) if is_strict else []
    for json_name, raw in said.items():
        name = FIELD_NAMES.get(json_name)
        if name is None:
            continue
        try:
            value = read_value(
                name, raw, path=f"{path}.{json_name}" if path else json_name, country=country
            )
        except FactError as error:
            faults += error.faults
            continue
        if name not in IDENTIFIERS:
            fields[name] = value
        elif value is not None:
            identifiers[name] = value
    if faults:
        raise FactError(faults)
    return PersonFacts(identifiers, fields)


def _unwanted(said: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for json_name in said:
        where = f"{path}.{json_name}" if path else json_name
        if json_name in _CONSENT_NAMES:
            yield Fault(where, "read_only", "Consent belongs to the Messaging service.")
        elif json_name in FIELD_NAMES:
            continue
        elif json_name in _OTHER_NAMES:
            yield Fault(where, "read_only", "This field cannot be written.")
        else:
            yield Fault(where, "unknown_field", "There is no field of this name.")


def country_in_scope() -> str:
    """The country that reads phone numbers of the tenant in scope."""
    return tenant_in_scope().country
