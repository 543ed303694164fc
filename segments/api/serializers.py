"""Segments' rows as JSON."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from crm_site.api.jobs import JOB_FIELDS, JobSerializer
from crm_site.api.serializers import StrictSerializer, TenantModelSerializer
from customers.services.finding import IdentifierKind
from segments.choices import Combinator, SegmentType
from segments.models import (
    CustomerSegment,
    CustomerSegmentMembership,
    SegmentMembershipChange,
    SegmentRefresh,
    SegmentTrial,
)
from segments.rules.errors import RuleError
from segments.rules.grammar import MAX_LEAVES, parse
from segments.rules.references import check_segments
from segments.rules.smart import SmartQuestion, parse_smart
from segments.rules.values import MAX_ITEMS
from segments.services.matching import Reason
from segments.services.trials import check_question

MOST_IDENTIFIERS = 10_000


def check_rules(criteria: Any, combinator: str, asked_by: Any = None) -> None:
    """Raise ValidationError with the path of the fault."""
    try:
        check_segments(parse(criteria, combinator), asked_by=asked_by)
    except RuleError as error:
        detail = ErrorDetail(error.message, code=error.code)
        raise serializers.ValidationError({error.path: [detail]}) from error


def check_model(criteria: Any, asked_by: UUID | None = None) -> SmartQuestion:
    """The question to a model. Raises ValidationError with the path of the fault."""
    try:
        question = parse_smart(criteria)
        check_question(question, asked_by=asked_by)
    except RuleError as error:
        detail = ErrorDetail(error.message, code=error.code)
        raise serializers.ValidationError({error.path: [detail]}) from error
    return question


class SegmentSerializer(TenantModelSerializer):
    """``criteria`` is written in the rule language, and required for a segment by rules; of one by
    model it is what is asked of it: ``{"model": "LOOKALIKE", "segment": "…", "size": 500}`` or
    ``{"model": "LAPSE", "minScore": 0.7}``, tried before (``segment-trials/``).
    """

    class Meta:
        model = CustomerSegment
        fields = (
            "id",
            "club",
            "name",
            "description",
            "type",
            "criteria",
            "combinator",
            "refresh_frequency",
            "last_refreshed_at",
            "next_refresh_at",
            "member_count",
            "is_active",
            "is_system",
            "broken_reason",
            "messaging_segment_id",
            "last_synced_at",
            "sync_error",
            "created_at",
            "updated_at",
            "created_by",
        )
        read_only_fields = (
            "last_refreshed_at",
            "next_refresh_at",
            "member_count",
            "is_system",
            "broken_reason",
            "last_synced_at",
            "sync_error",
            "created_at",
            "updated_at",
            "created_by",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = self._value(attrs, "type", SegmentType.DYNAMIC)
        criteria = self._value(attrs, "criteria", None)
        asked_by = self.instance.pk if isinstance(self.instance, CustomerSegment) else None
        if kind == SegmentType.SMART:
            check_model(criteria, asked_by)
        elif kind == SegmentType.DYNAMIC:
            check_rules(criteria, self._value(attrs, "combinator", Combinator.AND), asked_by)
        elif attrs.get("criteria"):
            message = "Only a segment by rules or by model has any."
            raise serializers.ValidationError({"criteria": [ErrorDetail(message, code="invalid")]})
        return attrs

    def _value(self, attrs: dict[str, Any], name: str, default: Any) -> Any:
        return attrs[name] if name in attrs else getattr(self.instance, name, default)


class MembershipSerializer(TenantModelSerializer):
    class Meta:
        model = CustomerSegmentMembership
        fields = (
            "id",
            "segment",
            "customer",
            "added_by",
            "added_at",
            "matched_at",
            "match_score",
            "match_reasons",
        )


class ChangeSerializer(TenantModelSerializer):
    class Meta:
        model = SegmentMembershipChange
        fields = ("id", "customer", "move", "changed_at", "refresh")


class RefreshSerializer(TenantModelSerializer):
    class Meta:
        model = SegmentRefresh
        fields = (
            "id",
            "segment",
            "status",
            "requested_at",
            "requested_by",
            "approved_by",
            "started_at",
            "finished_at",
            "entered_count",
            "left_count",
            "member_count",
            "quality",
            "error",
        )


class TrialSerializer(JobSerializer):
    """A model being tried. ``quality``, once it has succeeded: ``auc``, ``precision`` at the size,
    ``base_rate``, ``held_out_count``, ``learned_from_count`` and ``expected_count``.
    """

    class Meta(JobSerializer.Meta):
        model = SegmentTrial
        fields = (*JOB_FIELDS, "question", "quality")
        read_only_fields = fields


class TrialRequestSerializer(StrictSerializer):
    """What is to be asked of a model."""

    question = serializers.JSONField(help_text='As in `criteria`: {"model": "LAPSE", "size": 500}.')

    def validate_question(self, said: Any) -> SmartQuestion:
        return check_model(said)


class AcceptedSerializer(serializers.Serializer):
    """What was queued."""

    id = serializers.UUIDField()
    status = serializers.CharField()


class MemberChangesSerializer(StrictSerializer):
    """At most so many ids a call."""

    add = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_ITEMS, required=False, default=list
    )
    remove = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_ITEMS, required=False, default=list
    )


class MembersChangedSerializer(serializers.Serializer):
    added = serializers.IntegerField(source="entered_count")
    removed = serializers.IntegerField(source="left_count")


class IdentifiersSerializer(StrictSerializer):
    """Ids, e-mail addresses, phone numbers or member numbers, as people write them."""

    identifiers = serializers.ListField(
        child=serializers.CharField(max_length=320), min_length=1, max_length=MOST_IDENTIFIERS
    )
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.value) for kind in IdentifierKind],
        default=IdentifierKind.ANY.value,
        help_text="`any`: an id, an address with an @, a member number, or else a phone number.",
    )


class NotFoundSerializer(serializers.Serializer):
    line = serializers.IntegerField(source="number", help_text="From 1.")
    text = serializers.CharField()


class ImportReportSerializer(serializers.Serializer):
    found = serializers.IntegerField(source="found_count")
    added = serializers.IntegerField(source="entered_count")
    already = serializers.IntegerField(source="already_count", help_text="Were in it before.")
    notFound = NotFoundSerializer(source="not_found", many=True)


class PastMemberSerializer(serializers.Serializer):
    customer = serializers.UUIDField(source="pk")


class SizeSerializer(serializers.Serializer):
    day = serializers.DateField()
    memberCount = serializers.IntegerField(source="member_count")


class OverlapSerializer(serializers.Serializer):
    onlyThis = serializers.IntegerField(source="first_only_count")
    onlyOther = serializers.IntegerField(source="second_only_count")
    both = serializers.IntegerField(source="both_count")
    shareOfSmaller = serializers.FloatField(
        source="share_of_smaller", allow_null=True, help_text="0 to 1; null where one is empty."
    )


class UseSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="What it is: segment, campaign, journey.")
    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    isLive = serializers.BooleanField(
        source="is_live", help_text="While it is, the segment cannot be deleted."
    )


class QuestionSerializer(StrictSerializer):
    """Rules that are not saved anywhere."""

    criteria = serializers.JSONField(help_text=f"A list of up to {MAX_LEAVES} rules.")
    combinator = serializers.ChoiceField(choices=Combinator.choices, default=Combinator.AND)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_rules(attrs["criteria"], attrs["combinator"])
        return attrs


class SamplePersonSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class RuleStepSerializer(serializers.Serializer):
    path = serializers.CharField()
    sentence = serializers.CharField()
    count = serializers.IntegerField(allow_null=True, help_text="Of all customers, by itself.")
    kept = serializers.IntegerField(
        allow_null=True,
        help_text="Left once this was asked after those before it; among alternatives, found so "
        "far.",
    )


class PreviewSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    isExact = serializers.BooleanField(
        source="is_exact", help_text="False: the question took too long; this is an estimate."
    )
    sentence = serializers.CharField()
    reachable = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="Per channel: with consent and an address.",
    )
    total = serializers.IntegerField(allow_null=True, help_text="All live customers.")
    rules = RuleStepSerializer(many=True, help_text="Each rule, in the order it is read.")
    groups = RuleStepSerializer(many=True, help_text="Each group of rules, likewise.")
    sample = SamplePersonSerializer(many=True)


class ReasonSerializer(serializers.Serializer):
    path = serializers.CharField()
    sentence = serializers.CharField()
    met = serializers.BooleanField()
    value = serializers.SerializerMethodField("value_of", help_text="The customer's own.")

    def value_of(self, reason: Reason) -> str | int | list[str] | None:
        """Decimals and dates as text."""
        if isinstance(reason.value, date):
            return reason.value.isoformat()
        if isinstance(reason.value, Decimal):
            return str(reason.value)
        found: str | int | list[str] | None = reason.value
        return found


class ExplanationSerializer(serializers.Serializer):
    isMember = serializers.BooleanField(source="is_member", help_text="As of the last refresh.")
    matches = serializers.BooleanField(help_text="What the rules say now.")
    rules = ReasonSerializer(many=True, source="reasons")
    matchScore = serializers.FloatField(
        source="match_score", allow_null=True, help_text="By model: 0 to 1; null for no member."
    )
    why = serializers.ListField(
        child=serializers.CharField(), help_text="By model: what spoke most for it."
    )
