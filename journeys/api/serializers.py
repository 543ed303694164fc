"""Journeys' rows as JSON."""

from rest_framework import serializers

from crm_site.api.serializers import TenantModelSerializer
from journeys.models import Journey, JourneyEnrollment, JourneyStep


class JourneySerializer(TenantModelSerializer):
    class Meta:
        model = Journey
        fields = (
            *("id", "club", "name", "description", "status", "trigger_type", "trigger_config"),
            *("campaign", "allow_reentry", "max_enrollments", "timezone"),
            *("total_enrolled", "total_completed", "total_exited"),
            *("activated_at", "paused_at", "created_at", "updated_at", "created_by"),
        )


class StepSerializer(TenantModelSerializer):
    class Meta:
        model = JourneyStep
        fields = (
            *("id", "step_number", "type", "name", "config"),
            *("next_step", "next_step_yes", "next_step_no", "created_at", "updated_at"),
        )


class GraphSerializer(serializers.Serializer):
    """A journey's steps and how they follow each other."""

    version = serializers.IntegerField(
        allow_null=True, help_text="The published version's number; null for a draft."
    )
    steps = StepSerializer(many=True)


class EnrollmentSerializer(TenantModelSerializer):
    class Meta:
        model = JourneyEnrollment
        fields = (
            *("id", "journey", "customer", "entry_number", "status"),
            *("current_step", "current_step_number", "waiting_until"),
            *("enrolled_at", "completed_at", "exited_at", "exit_reason", "trigger_data"),
        )
