"""The only list of what may be asked about a customer.

A field that is not here does not exist for a rule. The builder, the API, the sentences and
docs/rules.md all follow from these entries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from django.db import models
from django.db.models import F, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from customers.choices import CustomerStatus, LifecycleStage
from segments.rules import sql
from segments.rules.clock import Clock


class Kind(Enum):
    """What a field's values are; decides the operators."""

    TEXT = "text"
    ID = "id"
    NUMBER = "number"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    MOMENT = "time"
    DATE = "date"
    TAGS = "tags"
    SEGMENT = "segment"
    IDS = "external ids"


@dataclass(frozen=True)
class Field:
    """Something that may be asked. ``label`` follows “whose …” in a sentence, so no capital."""

    name: str
    kind: Kind
    label: str
    group: str
    column: str = ""
    choices: type[models.TextChoices] | None = None
    unit: str = ""
    anniversary: str = ""
    compute: Callable[[Clock], Combinable] | None = None
    reads: str = ""  # The column that ``compute`` works from.

    @property
    def source(self) -> str:
        """The column of a customer that decides the value."""
        return self.column or self.reads

    def expression(self, clock: Clock) -> Combinable:
        """Its value in a query over customers."""
        return self.compute(clock) if self.compute else F(self.column)


EXTERNAL_ID = "externalIds."


def _age(clock: Clock) -> Combinable:
    return sql.age(F("date_of_birth"), clock.today)


def _id_text(clock: Clock) -> Combinable:
    return Cast(F("id"), TextField())


def _group(group: str, *fields: Field) -> tuple[Field, ...]:
    return tuple(replace(field, group=group) for field in fields)


def _text(name: str, label: str, column: str) -> Field:
    return Field(name, Kind.TEXT, label, "", column)


def _number(name: str, label: str, column: str, unit: str = "") -> Field:
    return Field(name, Kind.NUMBER, label, "", column, unit=unit)


def _moment(name: str, label: str, column: str) -> Field:
    return Field(name, Kind.MOMENT, label, "", column)


def _date(name: str, label: str, column: str, anniversary: str) -> Field:
    return Field(name, Kind.DATE, label, "", column, anniversary=anniversary)


def _flag(name: str, label: str, column: str) -> Field:
    return Field(name, Kind.BOOLEAN, label, "", column)


_FIELDS = (
    *_group(
        "Profile",
        _text("firstName", "first name", "first_name"),
        _text("lastName", "last name", "last_name"),
        _text("displayName", "display name", "display_name"),
        Field("age", Kind.NUMBER, "age", "", unit="years", compute=_age, reads="date_of_birth"),
        _date("dateOfBirth", "date of birth", "date_of_birth", "birthday"),
        _text("gender", "gender", "gender"),
        _text("email", "e-mail address", "email"),
        _text("phoneNumber", "phone number", "phone_number"),
        _text("addressLine1", "address", "address_line1"),
        _text("addressLine2", "second address line", "address_line2"),
        _text("city", "city", "city"),
        _text("state", "province", "state"),
        _text("postalCode", "postal code", "postal_code"),
        _text("country", "country code", "country"),
        _text("timeZone", "time zone", "time_zone"),
        _number("latitude", "latitude", "latitude"),
        _number("longitude", "longitude", "longitude"),
        _text("avatarUrl", "picture", "avatar_url"),
        Field("tags", Kind.TAGS, "tags", "", "tags"),
        Field("lifecycleStage", Kind.CHOICE, "stage", "", "lifecycle_stage", LifecycleStage),
        Field("status", Kind.CHOICE, "status", "", "status", CustomerStatus),
        _moment("createdAt", "first appearance here", "created_at"),
        _moment("updatedAt", "last change", "updated_at"),
        _text("createdBy", "creator", "created_by"),
        _text("updatedBy", "last editor", "updated_by"),
    ),
    *_group(
        "Membership",
        _text("membershipTier", "membership tier", "membership_tier"),
        _text("membershipStatus", "membership status", "membership_status"),
        _date("memberSince", "membership start", "member_since", "membership anniversary"),
        _date("membershipExpiry", "membership expiry", "membership_expiry", "renewal day"),
    ),
    *_group(
        "Golf",
        _number("handicap", "handicap", "handicap"),
        _text("handicapProvider", "handicap provider", "handicap_provider"),
        _moment("handicapUpdatedAt", "last handicap change", "handicap_updated_at"),
        _text("homeClubName", "home club", "home_club_name"),
        _text("homeClubId", "home club id", "home_club_id"),
    ),
    *_group(
        "Consent",
        _flag("emailOptIn", "e-mail consent", "email_opt_in"),
        _moment("emailOptInAt", "e-mail consent", "email_opt_in_at"),
        _flag("smsOptIn", "SMS consent", "sms_opt_in"),
        _moment("smsOptInAt", "SMS consent", "sms_opt_in_at"),
        _flag("pushOptIn", "push consent", "push_opt_in"),
        _moment("pushOptInAt", "push consent", "push_opt_in_at"),
        _flag("whatsappOptIn", "WhatsApp consent", "whatsapp_opt_in"),
        _moment("whatsappOptInAt", "WhatsApp consent", "whatsapp_opt_in_at"),
    ),
    *_group(
        "Engagement",
        _number("engagementScore", "engagement score", "engagement_score"),
        _moment("engagementScoreAt", "last engagement scoring", "engagement_score_at"),
        _number("churnRiskScore", "churn risk", "churn_risk_score"),
        _moment("churnRiskScoreAt", "last churn scoring", "churn_risk_score_at"),
        _moment("lastEmailOpenAt", "last e-mail opened", "last_email_open_at"),
        _moment("lastEmailClickAt", "last click in an e-mail", "last_email_click_at"),
    ),
    *_group(
        "Money",
        _number("lifetimeValue", "lifetime spend", "lifetime_value", "cents"),
        _moment("lifetimeValueAt", "last spend calculation", "lifetime_value_at"),
        _number("predictedLtv", "predicted lifetime spend", "predicted_ltv", "cents"),
    ),
    *_group(
        "Bookings & activity",
        _moment("lastBookingAt", "last booking", "last_booking_at"),
        _number("bookingCount30d", "bookings in 30 days", "booking_count_30d"),
        _number("bookingCount90d", "bookings in 90 days", "booking_count_90d"),
        _moment("lastActivityAt", "last activity", "last_activity_at"),
        _text("lastActivityType", "kind of last activity", "last_activity_type"),
        _number("activityCount30d", "activities in 30 days", "activity_count_30d"),
        _number("activityCount90d", "activities in 90 days", "activity_count_90d"),
    ),
    *_group("Segments", Field("segment", Kind.SEGMENT, "segments", "")),
    *_group(
        "Identifiers",
        Field("id", Kind.ID, "Fairway id", "", compute=_id_text, reads="id"),
        _number("sclMemberId", "member number", "scl_member_id"),
        _text("teetimePlayerId", "TeeTime player id", "teetime_player_id"),
        _text("messagingContactId", "Messaging contact id", "messaging_contact_id"),
        _text("authUserId", "sign-in id", "auth_user_id"),
        Field("externalIds", Kind.IDS, "ids elsewhere", "", "external_ids"),
    ),
)

CUSTOMER_FIELDS: Mapping[str, Field] = {field.name: field for field in _FIELDS}


def find_field(name: str) -> Field | None:
    """The field of that name; ``externalIds.<key>`` is the text under one key, dots included."""
    if name.startswith(EXTERNAL_ID) and name != EXTERNAL_ID:
        return _external_id(name.removeprefix(EXTERNAL_ID))
    return CUSTOMER_FIELDS.get(name)


def _external_id(key: str) -> Field:
    return Field(
        f"{EXTERNAL_ID}{key}",
        Kind.TEXT,
        f"{key} id",
        "Identifiers",
        compute=lambda clock: sql.text_under(F("external_ids"), key),
        reads="external_ids",
    )
