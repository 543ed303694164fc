"""Events as the other services send them (CloudEvents 1.0)."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from crm_site.devstack.demo.people import Person

Event = dict[str, Any]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cloud_event(
    source: str, event_type: str, moment: datetime, customer: dict[str, Any], /, **data: Any
) -> Event:
    """One event about one customer. Its id follows from what it says, so a seed repeats it."""
    told = f"{source}|{event_type}|{iso(moment)}|{customer}|{data}"
    return {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE_URL, told)),
        "source": source,
        "type": event_type,
        "time": iso(moment),
        "datacontenttype": "application/json",
        "data": {"customer": customer, **data},
    }


def as_known_to_scl(person: Person) -> dict[str, Any]:
    """The whole person, as the membership system has them."""
    home = person.household
    return {
        **member(person),
        **_addresses(person),
        "firstName": person.first_name,
        "lastName": person.last_name,
        "dateOfBirth": person.born_on.isoformat(),
        "gender": person.gender,
        "addressLine1": home.address,
        "addressLine2": home.place.suburb,
        "city": home.place.city,
        "state": home.place.province,
        "postalCode": home.place.postal_code,
        "country": "ZA",
    }


def as_known_to_teetime(person: Person) -> dict[str, Any]:
    """A player: link, name and addresses, and the town they play from."""
    home = person.household
    signed_in = {"authUserId": str(person.auth_user_id)} if person.auth_user_id else {}
    return {
        **signed_in,
        "teetimePlayerId": str(person.player_id),
        **_addresses(person),
        "firstName": person.first_name,
        "lastName": person.last_name,
        "gender": person.gender,
        "city": home.place.city,
        "state": home.place.province,
        "country": "ZA",
    }


def as_known_to_messaging(person: Person) -> dict[str, Any]:
    """A contact: link, name and addresses."""
    return {
        "messagingContactId": str(person.contact_id),
        **_addresses(person),
        "firstName": person.first_name,
        "lastName": person.last_name,
    }


def member(person: Person) -> dict[str, Any]:
    """Somebody by the member number; visitors have none, and are known by their addresses."""
    if person.membership is None:
        return {**_addresses(person), "firstName": person.first_name, "lastName": person.last_name}
    return {"sclMemberId": person.membership.number, "firstName": person.first_name}


def player(person: Person) -> dict[str, Any]:
    return {"teetimePlayerId": str(person.player_id), "firstName": person.first_name}


def contact(person: Person) -> dict[str, Any]:
    return {"messagingContactId": str(person.contact_id), "firstName": person.first_name}


def _addresses(person: Person) -> dict[str, Any]:
    return {
        key: value
        for key, value in (("email", person.email), ("phoneNumber", person.phone))
        if value
    }
