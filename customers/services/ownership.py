"""Which source owns which field of a profile, and whose word counts when two speak.

The result does not depend on the order in which events arrive: of the owner's words the latest
counts, of everybody else's the earliest, and those fill blanks only. Equal times fall back on the
values themselves.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from customers.models import CustomerProfile
from customers.services.lifecycle import stage_for_membership

CRM = "crm"  # Staff, integrators and imports: what they set is set.

_NAMES_AND_ADDRESS = (
    *("first_name", "last_name", "date_of_birth", "gender"),
    *("address_line1", "address_line2", "city", "state", "postal_code", "country"),
)
_MEMBERSHIP = ("membership_tier", "membership_status", "member_since", "membership_expiry")
_GOLF = (
    *("handicap", "handicap_provider", "handicap_updated_at"),
    *("home_club_id", "home_club_name"),
)
OWNER = {
    **dict.fromkeys((*_NAMES_AND_ADDRESS, *_MEMBERSHIP, "scl_member_id"), "scl"),
    **dict.fromkeys((*_GOLF, "teetime_player_id"), "teetime"),
    "messaging_contact_id": "messaging",
}
# Only their owner says anything about these; the rest may be filled by whoever knows.
EXCLUSIVE = {*_MEMBERSHIP, *_GOLF}
# Ours to decide, whatever a source sends: by rule, by staff, or from payments.
IGNORED_FROM_SOURCES = {"lifecycle_stage", "tags", "lifetime_value"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def apply_fields(
    profile: CustomerProfile, fields: Mapping[str, Any], *, source: str, at: datetime
) -> None:
    """Take over what a source says, as far as its word counts. Saves nothing."""
    status = profile.membership_status
    for name, value in fields.items():
        if name == "external_ids":
            _add_external_ids(profile, value or {}, source=source, moment=microseconds(at))
        elif source == CRM:
            set_by_crm(profile, name, value)
        elif name not in IGNORED_FROM_SOURCES and counts(
            profile, name, value, source=source, at=at
        ):
            setattr(profile, name, value)
    is_staged_by_hand = source == CRM and "lifecycle_stage" in fields
    if profile.membership_status != status and not is_staged_by_hand:
        profile.lifecycle_stage = stage_for_membership(
            profile.lifecycle_stage, profile.membership_status
        )


def set_by_crm(profile: CustomerProfile, name: str, value: Any) -> None:
    """Staff's word stands until the field's owner has something newer to say."""
    setattr(profile, name, value)
    for source in profile.source_times:
        if source != OWNER.get(name):
            _forget(profile, source, name)


def counts(profile: CustomerProfile, name: str, value: Any, *, source: str, at: datetime) -> bool:
    """Whether ``value`` is to be taken over; remembers the moment if so."""
    held, moment = getattr(profile, name), microseconds(at)
    if OWNER.get(name) == source:
        return _owner_counts(profile, name, value, held, source, moment)
    if value is None or name in EXCLUSIVE:
        return False
    return _filler_counts(profile, name, value, held, source, moment)


def _owner_counts(
    profile: CustomerProfile, name: str, value: Any, held: Any, source: str, moment: int
) -> bool:
    said_at = profile.source_times.get(source, {}).get(name)
    if said_at is not None and (moment, str(value)) < (said_at, str(held)):
        return False
    remember(profile, source, name, moment)
    fillers = [
        other for other, said in profile.source_times.items() if other != source and name in said
    ]
    if value is None and fillers:
        return False  # Somebody else's word fills the blank.
    for other in fillers:
        _forget(profile, other, name)
    return True


def _filler_counts(
    profile: CustomerProfile, name: str, value: Any, held: Any, source: str, moment: int
) -> bool:
    fillers = {
        other: said[name]
        for other, said in profile.source_times.items()
        if other != OWNER.get(name) and name in said
    }
    if held is not None and not fillers:
        return False  # The owner's, or staff's.
    if held is not None and (moment, str(value)) >= (min(fillers.values()), str(held)):
        return False
    for other in fillers:
        _forget(profile, other, name)
    remember(profile, source, name, moment)
    return True


def remember(profile: CustomerProfile, source: str, name: str, moment: int) -> None:
    """Note that what we hold of ``name`` was said by ``source`` at ``moment``."""
    times = profile.source_times
    profile.source_times = {**times, source: {**times.get(source, {}), name: moment}}


def _forget(profile: CustomerProfile, source: str, name: str) -> None:
    said = {key: value for key, value in profile.source_times[source].items() if key != name}
    profile.source_times = {**profile.source_times, source: said}


def _add_external_ids(
    profile: CustomerProfile, ids: Mapping[str, Any], *, source: str, moment: int
) -> None:
    """Ids elsewhere only come to be known. SCL keeps them; others fill in what it does not say."""
    held = dict(profile.external_ids or {})
    for key, value in ids.items():
        name = f"external_ids.{key}"
        said_at = profile.source_times.get(source, {}).get(name, 0)
        if source == CRM or key not in held or (source == "scl" and moment >= said_at):
            held[key] = value
            if source != CRM:
                remember(profile, source, name, moment)
    profile.external_ids = held or None
