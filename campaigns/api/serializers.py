"""Campaigns, what came of them, and promotions as JSON."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from campaigns.choices import CampaignType, SegmentRole
from campaigns.models import (
    Campaign,
    CampaignApproval,
    CampaignInteraction,
    CampaignRun,
    CampaignVariant,
    Delivery,
    EventPromotion,
    TrialMessage,
)
from campaigns.models.campaign import COUNTERS
from campaigns.services.approving import LONGEST_REMARK
from campaigns.services.crowd import CrowdError, check_segments
from campaigns.services.recurrence import MOST_RUNS, RecurrenceError, check_pattern
from campaigns.services.trials import MOST_AT_ONCE
from campaigns.services.triggers import read_conditions
from campaigns.services.variants import MOST_VARIANTS
from crm_site.api.fields import IdField, IntegerField, TenantRelatedField
from crm_site.api.serializers import StrictSerializer, TenantModelSerializer
from crm_site.db.names import camel_case
from crm_site.messaging.channels import Channel
from segments.models import CustomerSegment
from segments.rules.errors import RuleError

EVENT_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)


class _AudienceSerializer(TenantModelSerializer):
    """What campaigns and promotions share: a segment that lives, channels named once."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        segment: CustomerSegment | None = attrs.get("segment")
        if segment is not None and segment.deleted_at is not None:
            raise _fault("segmentId", f"“{segment.pk}” does not exist.", "does_not_exist")
        channels = attrs.get("channels") or []
        if len(set(channels)) != len(channels):
            raise _fault("channels", "Name each channel once.")
        return attrs


class SegmentListField(serializers.ManyRelatedField):
    """The ids of a campaign's further segments of one role."""

    def __init__(self, role: str, **kwargs: Any) -> None:
        self.role = role
        # Live ones only: a deleted segment does not exist.
        rows = CustomerSegment.all_tenants.filter(deleted_at__isnull=True)
        super().__init__(child_relation=TenantRelatedField(queryset=rows), **kwargs)

    def get_attribute(self, instance: Campaign) -> list[Any]:
        return [PkOnly(link.segment_id) for link in instance.segment_links.all()
                if link.role == self.role]  # fmt: skip


@dataclass(frozen=True)
class PkOnly:
    """As much of a segment as its id needs."""

    pk: UUID


class VariantSerializer(TenantModelSerializer):
    """One way to say it. What is left out is as on the campaign."""

    class Meta:
        model = CampaignVariant
        fields = (
            "id",
            "name",
            "share",
            "email_template_id",
            "sms_template_id",
            "push_template_id",
            "send_hour",
        )
        read_only_fields = ("id",)


class CampaignSerializer(_AudienceSerializer):
    """``status`` moves by its own addresses; counters and rates are derived from rows.

    It is for the members of ``segmentId`` and of each of ``includeSegmentIds``, but for nobody who
    is in one of ``excludeSegmentIds``.
    """

    includeSegmentIds = SegmentListField(
        SegmentRole.INCLUDE, source="include_segments", required=False
    )
    excludeSegmentIds = SegmentListField(
        SegmentRole.EXCLUDE, source="exclude_segments", required=False
    )
    variants = VariantSerializer(many=True, required=False)

    class Meta:
        model = Campaign
        fields = (
            "id",
            "club",
            "name",
            "description",
            "type",
            "status",
            "segment",
            "includeSegmentIds",
            "excludeSegmentIds",
            "channels",
            "scheduled_at",
            "started_at",
            "completed_at",
            "timezone",
            "recur_pattern",
            "recur_end_at",
            "send_in_own_zone",
            "passed_hour",
            "late_limit_minutes",
            "trigger_event_type",
            "trigger_conditions",
            "trigger_delay_minutes",
            "trigger_once_days",
            "stopped_reason",
            "email_template_id",
            "sms_template_id",
            "push_template_id",
            "goal_activity_type",
            "goal_days",
            "goal_has_revenue",
            "quiet_hours_policy",
            "messages_per_hour",
            "hold_out_percent",
            "test_percent",
            "test_metric",
            "test_hours",
            "variants",
            *COUNTERS,
            "created_at",
            "updated_at",
            "created_by",
        )
        read_only_fields = (
            "status",
            "started_at",
            "completed_at",
            "stopped_reason",
            *COUNTERS,
            "created_at",
            "updated_at",
            "created_by",
        )

    def validate_trigger_conditions(self, given: Any) -> Any:
        """One group of rules over the customer and the event."""
        try:
            read_conditions(given)
        except RuleError as error:
            raise serializers.ValidationError(str(error)) from error
        return given

    def validate_trigger_event_type(self, given: str | None) -> str | None:
        if given and not EVENT_TYPE.fullmatch(given):
            raise serializers.ValidationError("Upper snake case is needed, as in TEETIME_BOOKED.")
        return given or None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        start, end = self._value(attrs, "scheduled_at"), self._value(attrs, "recur_end_at")
        if start and end and end <= start:
            raise _fault("recurEndAt", "The end must come after the start.")
        try:
            check_segments(
                self._value(attrs, "segment"),
                attrs.get("include_segments", []),
                attrs.get("exclude_segments", []),
            )
        except CrowdError as error:
            raise _fault("excludeSegmentIds", error.message) from error
        _check_variants(attrs.get("variants") or [])
        pattern = self._value(attrs, "recur_pattern")
        if pattern or self._value(attrs, "type") == CampaignType.RECURRING:
            try:
                check_pattern(pattern, self._value(attrs, "timezone"))
            except RecurrenceError as error:
                raise _fault("recurPattern", error.message) from error
        return attrs

    def _value(self, attrs: dict[str, Any], name: str) -> Any:
        return attrs[name] if name in attrs else getattr(self.instance, name, None)


class CampaignRunSerializer(TenantModelSerializer):
    class Meta:
        model = CampaignRun
        fields = (
            "id",
            "campaign",
            "occurrence_at",
            "status",
            "target_count",
            "snapshot_at",
            "started_at",
            "completed_at",
            "released_at",
            "error",
            "next_claim_at",
            "decide_at",
            "decided_at",
            "winner",
            "created_at",
            "created_by",
        )


class DeliverySerializer(TenantModelSerializer):
    """``reason`` is ours; ``error`` holds Messaging's own words."""

    class Meta:
        model = Delivery
        fields = (
            "id",
            "campaign",
            "run",
            "customer",
            "channel",
            "template_id",
            "variant",
            "idempotency_key",
            "state",
            "reason",
            "error",
            "message_id",
            "due_at",
            "attempts",
            "first_requested_at",
            "settled_at",
            "created_at",
            "updated_at",
        )


class CampaignInteractionSerializer(TenantModelSerializer):
    class Meta:
        model = CampaignInteraction
        fields = (
            "id",
            "campaign",
            "customer",
            "delivery",
            "channel",
            "type",
            "message_id",
            "link_id",
            "link_url",
            "device_type",
            "user_agent",
            "ip_address",
            "location",
            "activity_id",
            "amount",
            "source_event_id",
            "occurred_at",
        )


class EventPromotionSerializer(_AudienceSerializer):
    class Meta:
        model = EventPromotion
        fields = (
            "id",
            "club",
            "source_type",
            "source_id",
            "auto_promote",
            "channels",
            "announce_at",
            "reminder_days",
            "segment",
            "target_radius",
            "email_template_id",
            "sms_template_id",
            "social_content",
            "is_active",
            "last_promoted_at",
            "created_at",
            "updated_at",
            "created_by",
        )
        read_only_fields = ("last_promoted_at", "created_at", "updated_at", "created_by")


class ScheduleSerializer(StrictSerializer):
    """When it goes out; left out, the time it already carries."""

    scheduledAt = serializers.DateTimeField(required=False, source="scheduled_at")


class OccurrenceSerializer(StrictSerializer):
    """One run to come, by its time as ``next-runs`` gives it."""

    occurrenceAt = serializers.DateTimeField(source="occurrence_at")


class MissedRunSerializer(StrictSerializer):
    runId = serializers.UUIDField(source="run_id")


class EmptySerializer(StrictSerializer):
    """No body, or an empty object."""


class RemarkSerializer(StrictSerializer):
    remark = serializers.CharField(required=False, max_length=LONGEST_REMARK, allow_null=True)


class CampaignApprovalSerializer(TenantModelSerializer):
    """``review`` is what the preflight said then; an UNDONE one was followed by a change."""

    class Meta:
        model = CampaignApproval
        fields = (
            "id",
            "campaign",
            "status",
            "recipient_count",
            "review",
            "requested_by",
            "requested_at",
            "decided_by",
            "decided_at",
            "remark",
        )


class TestSendSerializer(StrictSerializer):
    """Left out, ``channels`` are the campaign's; with nobody named all test recipients get it."""

    seedIds = serializers.ListField(
        child=IdField(), source="seed_ids", required=False, max_length=MOST_AT_ONCE
    )
    staffIds = serializers.ListField(
        child=IntegerField(), source="user_ids", required=False, max_length=MOST_AT_ONCE
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(Channel.choices), required=False, allow_empty=False
    )
    customerId = IdField(
        source="customer_id", required=False, allow_null=True, help_text="Reads as for them."
    )


class TrialMessageSerializer(TenantModelSerializer):
    class Meta:
        model = TrialMessage
        fields = (
            "id",
            "campaign",
            "channel",
            "template_id",
            "recipient_name",
            "address",
            "state",
            "message_id",
            "error",
            "requested_by",
            "created_at",
        )


class NextRunsQuery(StrictSerializer):
    count = serializers.IntegerField(min_value=1, max_value=MOST_RUNS, default=10)


class NextRunsSerializer(serializers.Serializer):
    results = serializers.ListField(child=serializers.DateTimeField())
    skipped = serializers.ListField(
        child=serializers.DateTimeField(), help_text="Taken out by somebody; not among the results."
    )
    inWords = serializers.CharField(help_text="“every Monday at 09:00”; empty for no pattern.")


class ChannelReachSerializer(serializers.Serializer):
    channel = serializers.CharField()
    reachable = serializers.IntegerField(help_text="Messages that would be sent now.")
    reasons = serializers.DictField(
        child=serializers.IntegerField(), help_text="People left out, by reason."
    )


class FindingSerializer(serializers.Serializer):
    level = serializers.ChoiceField(
        ["red", "amber", "green"], help_text="Red keeps it from starting."
    )
    code = serializers.CharField()
    message = serializers.CharField()
    path = serializers.SerializerMethodField(help_text="The field where it is mended.")

    def get_path(self, finding: Any) -> str:
        return camel_case(finding.path)


class PreflightSerializer(serializers.Serializer):
    isClear = serializers.BooleanField(source="is_clear")
    inSegment = serializers.IntegerField(source="reach.in_segment", default=None)
    reachable = serializers.IntegerField(
        source="reach.people", default=None, help_text="People reached over at least one channel."
    )
    messages = serializers.IntegerField(source="reach.messages", default=None)
    channels = ChannelReachSerializer(source="reach.channels", many=True, default=list)
    hearTwice = serializers.IntegerField(
        source="reach.twice", default=None, help_text="Who hears something else within two days."
    )
    findings = FindingSerializer(many=True, help_text="Red and amber.")
    passed = FindingSerializer(many=True, help_text="What was looked at and is well.")


def _check_variants(given: list[dict[str, Any]]) -> None:
    if len(given) > MOST_VARIANTS:
        raise _fault("variants", f"At most {MOST_VARIANTS} variants.")
    names = [each["name"] for each in given]
    if len(set(names)) != len(names):
        raise _fault("variants", "Give each variant a name of its own.")


def _fault(path: str, message: str, code: str = "invalid") -> serializers.ValidationError:
    return serializers.ValidationError({path: [ErrorDetail(message, code=code)]})
