"""A campaign's statistics and results as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from campaigns.choices import Dimension
from campaigns.models import Campaign, CampaignBreakdown, CampaignResults
from campaigns.models.campaign import COUNTERS
from campaigns.services.breakdowns import breakdown
from campaigns.services.results import uplift_of
from crm_site.api.serializers import TenantModelSerializer


class ChannelStatsSerializer(serializers.Serializer):
    channel = serializers.CharField()
    sent = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    delivered = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    converted = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    bounced = serializers.IntegerField()


class BreakdownSerializer(serializers.ModelSerializer):
    class Meta:
        model = CampaignBreakdown
        fields = (
            *("value", "sent", "delivered", "opened", "clicked", "converted", "unsubscribed"),
            *("bounced", "revenue"),
        )


class UpliftSerializer(serializers.Serializer):
    """Conversions beyond what would have come anyway, in people, with its 95 % range."""

    extra = serializers.IntegerField()
    low = serializers.IntegerField()
    high = serializers.IntegerField()


class ResultsSerializer(serializers.ModelSerializer):
    """People, not messages. ``uplift`` is null where there is too little to tell."""

    countedAt = serializers.DateTimeField(source="counted_at")
    reachedPeople = serializers.IntegerField(source="reached_people")
    reachedConverted = serializers.IntegerField(source="reached_converted")
    heldOutPeople = serializers.IntegerField(source="held_out_people")
    heldOutConverted = serializers.IntegerField(source="held_out_converted")
    uplift = serializers.SerializerMethodField()
    breakdowns = serializers.SerializerMethodField(
        help_text="Messages by channel, template, segment, tier, device, hour (whole hours after "
        "the start) and link; of devices and links only opens and clicks are known."
    )

    class Meta:
        model = CampaignResults
        fields = (
            *("countedAt", "reachedPeople", "reachedConverted", "heldOutPeople"),
            *("heldOutConverted", "revenue", "uplift", "breakdowns"),
        )

    @extend_schema_field(UpliftSerializer(allow_null=True))
    def get_uplift(self, results: CampaignResults) -> Any:
        uplift = uplift_of(results)
        return UpliftSerializer(uplift).data if uplift else None

    @extend_schema_field(
        inline_serializer(
            "BreakdownsSerializer",
            {each.value.lower(): BreakdownSerializer(many=True) for each in Dimension},
        )
    )
    def get_breakdowns(self, results: CampaignResults) -> dict[str, Any]:
        return {
            each.value.lower(): BreakdownSerializer(
                breakdown(results.campaign_id, each), many=True
            ).data
            for each in Dimension
        }


class StatsSerializer(TenantModelSerializer):
    """The campaign's counters and rates, what they are made of, and why some did not hear."""

    channels = serializers.SerializerMethodField()
    states = serializers.SerializerMethodField(help_text="Deliveries by state and reason.")
    results = serializers.SerializerMethodField(
        help_text="As last added up, within a minute or so of what happened; null before."
    )

    class Meta:
        model = Campaign
        fields = (*COUNTERS, "channels", "states", "results")

    @extend_schema_field(ChannelStatsSerializer(many=True))
    def get_channels(self, campaign: Campaign) -> Any:
        return ChannelStatsSerializer(self.context["channels"], many=True).data

    def get_states(self, campaign: Campaign) -> dict[str, dict[str, int]]:
        states: dict[str, dict[str, int]] = self.context["states"]
        return states

    @extend_schema_field(ResultsSerializer(allow_null=True))
    def get_results(self, campaign: Campaign) -> Any:
        results = CampaignResults.objects.filter(campaign=campaign).first()
        return ResultsSerializer(results).data if results else None
