"""Customers' rows as JSON."""

from rest_framework import serializers

from crm_site.api.serializers import StrictSerializer, TenantModelSerializer
from customers.choices import CustomerStatus, DuplicateResolution
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    DuplicateCandidate,
    IdentityAlias,
    SyncLog,
)
from customers.models.profile import COMPUTED_FIELDS, CONSENT_FLAGS
from customers.services.facts import READERS

CONSENT = tuple(name for flag in CONSENT_FLAGS.values() for name in (flag, f"{flag}_at"))


class CustomerSerializer(TenantModelSerializer):
    """A customer. Consent is Messaging's and the scores are computed: neither is written here."""

    class Meta:
        model = CustomerProfile
        fields = (
            *("id", "auth_user_id", "email", "phone_number"),
            *("scl_member_id", "teetime_player_id", "messaging_contact_id", "external_ids"),
            *("first_name", "last_name", "display_name", "date_of_birth", "gender", "avatar_url"),
            *("address_line1", "address_line2", "city", "state", "postal_code", "country"),
            *("time_zone", "latitude", "longitude"),
            *("status", "lifecycle_stage", "tags"),
            *("handicap", "handicap_provider", "handicap_updated_at"),
            *("home_club_id", "home_club_name"),
            *("membership_tier", "membership_status", "member_since", "membership_expiry"),
            *CONSENT,
            *("engagement_score", "engagement_score_at", "churn_risk_score"),
            *("churn_risk_score_at", "lifetime_value", "lifetime_value_at", "predicted_ltv"),
            *("last_activity_at", "last_activity_type", "activity_count_30d"),
            *("activity_count_90d", "booking_count_30d", "booking_count_90d"),
            *("last_booking_at", "last_email_open_at", "last_email_click_at"),
            *("merged_into", "merged_at"),
            *("created_at", "updated_at", "created_by", "updated_by"),
        )
        # What a payment or a handicap said elsewhere may be brought along; the rest we compute.
        read_only_fields = tuple(
            name for name in fields if name in COMPUTED_FIELDS and name not in READERS
        )

    def validate_status(self, value: str) -> str:
        if value not in {CustomerStatus.ACTIVE, CustomerStatus.INACTIVE}:
            raise serializers.ValidationError(
                "Merge or delete the customer instead.", code="invalid_choice"
            )
        return value


class AliasSerializer(TenantModelSerializer):
    class Meta:
        model = IdentityAlias
        fields = (
            *("id", "customer", "type", "value", "is_primary", "verified_at", "source"),
            *("created_at", "updated_at"),
        )


class ActivitySerializer(TenantModelSerializer):
    ignored_fields = frozenset({"sourceService"})  # Always ours, whatever is sent.

    class Meta:
        model = Activity
        fields = (
            *("id", "customer", "type", "category", "channel", "title", "description", "metadata"),
            *("source_service", "source_id", "source_event_id", "occurred_at", "processed_at"),
        )
        read_only_fields = ("source_service", "processed_at")
        extra_kwargs = {"occurred_at": {"required": False}}


class NoteSerializer(TenantModelSerializer):
    class Meta:
        model = CustomerNote
        fields = (
            *("id", "customer", "type", "content", "is_pinned", "is_private"),
            *("follow_up_on", "done_at"),
            *("created_at", "updated_at", "created_by", "updated_by"),
        )


class NoteOfCustomerSerializer(NoteSerializer):
    """A note whose customer is known already and stays."""

    class Meta(NoteSerializer.Meta):
        read_only_fields = ("customer",)


class EntrySerializer(serializers.Serializer):
    """One line of a timeline. ``kind`` says from which table: activity, note …"""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    category = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    channel = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    author = serializers.CharField()
    isPrivate = serializers.BooleanField(source="is_private")
    metadata = serializers.JSONField(allow_null=True)


class DuplicateSerializer(TenantModelSerializer):
    class Meta:
        model = DuplicateCandidate
        fields = (
            *("id", "profile_a", "profile_b", "match_type", "match_score", "match_fields"),
            *("kind", "resolution", "resolved_by", "resolved_at", "notes", "created_at"),
        )


class ResolutionSerializer(StrictSerializer):
    """A ruling that the two are not merged."""

    resolution = serializers.ChoiceField(
        choices=[DuplicateResolution.NOT_DUPLICATE, DuplicateResolution.IGNORED]
    )
    notes = serializers.CharField(required=False, allow_null=True, max_length=2000, default=None)


class SyncLogSerializer(TenantModelSerializer):
    class Meta:
        model = SyncLog
        fields = (
            *("id", "source_service", "event_type", "event_id", "event_payload", "occurred_at"),
            *("status", "processed_at", "attempts", "next_attempt_at", "error"),
            *("conflict_count", "customer_id", "activity_id", "created_at"),
        )


class FaultSerializer(serializers.Serializer):
    path = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class UpsertResultSerializer(serializers.Serializer):
    """What became of one profile of a batch."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "rejected"])
    id = serializers.UUIDField(allow_null=True)
    errors = FaultSerializer(many=True)  # type: ignore[assignment]


class UpsertResultsSerializer(serializers.Serializer):
    results = UpsertResultSerializer(many=True)
