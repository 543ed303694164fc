"""Campaigns and what came of them, over HTTP."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import tasks
from campaigns.api import filters, serializers
from campaigns.api.stats import StatsSerializer
from campaigns.models import Campaign, CampaignInteraction, EventPromotion, SeedRecipient
from campaigns.services import approving, lifecycle, occurrences, promotions, statistics, trials
from campaigns.services.patterns import describe
from campaigns.services.preflight import preflight
from campaigns.services.recurrence import next_runs, skipped_runs
from crm_site.api.viewsets import TenantModelViewSet, TenantReadOnlyViewSet, list_action
from crm_site.tenancy.context import require_tenant_id

LAUNCH = "campaigns.launch_campaign"


class CampaignViewSet(TenantModelViewSet):
    """Something a club says to a segment, over one or more channels.

    A draft may be changed freely; later only its name, description
    and goal, and everything else is 409.
    """

    model = Campaign
    scope = "campaigns"
    permission_model = "campaigns.campaign"
    serializer_class = serializers.CampaignSerializer
    filterset_class = filters.CampaignFilter
    ordering_fields = ("created_at", "scheduled_at")
    read_actions = ("preflight",)
    action_permissions = dict.fromkeys(
        (
            *("schedule", "unschedule", "start", "pause", "resume", "cancel", "request_approval"),
            *("test_send", "skip_run", "unskip_run", "send_missed", "drop_missed"),
        ),
        LAUNCH,
    ) | dict.fromkeys(("approve", "give_back"), "campaigns.approve_campaign")

    def get_queryset(self) -> Any:
        rows = super().get_queryset().filter(deleted_at__isnull=True)
        return rows.select_related("segment").prefetch_related("segment_links", "variants")

    def create_row(self, values: dict[str, Any]) -> Campaign:
        return lifecycle.create_campaign(values=values, actor=self.actor)

    def change_row(self, row: Campaign, values: dict[str, Any]) -> Campaign:
        return lifecycle.change_campaign(campaign_id=row.pk, values=values)

    def delete_row(self, row: Campaign) -> None:
        lifecycle.delete_campaign(campaign_id=row.pk)

    @extend_schema(request=None, responses=serializers.PreflightSerializer)
    @action(detail=True, methods=["post"])
    def preflight(self, request: Request, pk: str | None = None) -> Response:
        """Whom it would reach if it started now, why not the others, and what to mend first."""
        found = preflight(self.get_object(), now=timezone.now())
        return Response(serializers.PreflightSerializer(found).data)

    @extend_schema(request=serializers.ScheduleSerializer, responses=serializers.CampaignSerializer)
    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, pk: str | None = None) -> Response:
        """Let it start by itself. On a scheduled campaign: give it another time."""
        values = self.read_body(serializer_class=serializers.ScheduleSerializer)
        campaign = lifecycle.schedule_campaign(
            campaign_id=self.get_object().pk, actor=self.actor, **values
        )
        return self._answer(campaign)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def unschedule(self, request: Request, pk: str | None = None) -> Response:
        """Take it back to draft."""
        return self._move(lifecycle.unschedule_campaign)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str | None = None) -> Response:
        """Start it now. Pressed again, it is 409: there is one run."""
        return self._move(lifecycle.start_campaign)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str | None = None) -> Response:
        """Send no more for now."""
        return self._move(lifecycle.pause_campaign)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str | None = None) -> Response:
        """Go on where it stopped; nobody hears twice."""
        return self._move(lifecycle.resume_campaign)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """End it for good. What is under way is settled, nothing more is sent."""
        return self._move(lifecycle.cancel_campaign)

    @extend_schema(request=None, responses={201: serializers.CampaignSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str | None = None) -> Response:
        """A draft that says the same, without dates."""
        clone = lifecycle.clone_campaign(campaign_id=self.get_object().pk, actor=self.actor)
        return Response(serializers.CampaignSerializer(clone).data, status=201)

    @extend_schema(responses=StatsSerializer)
    @action(detail=True)
    def stats(self, request: Request, pk: str | None = None) -> Response:
        """Counters and rates, deliveries by state and reason, and the results as last added up."""
        campaign = self.get_object()
        context = {
            "channels": statistics.counts_by_channel(campaign.pk),
            "states": statistics.reasons_of(campaign.pk),
        }
        return Response(StatsSerializer(campaign, context=context).data)

    @list_action(
        serializer_class=serializers.CampaignRunSerializer,
        filterset_class=filters.CampaignRunFilter,
        ordering="-occurrence_at",
        ordering_fields=("occurrence_at",),
    )
    def runs(self, request: Request, pk: str | None = None) -> Response:
        """Each time it went out."""
        return self.answer_page(self.get_object().runs.all())

    @list_action(
        serializer_class=serializers.DeliverySerializer,
        filterset_class=filters.DeliveryFilter,
        ordering="-created_at",
        ordering_fields=("created_at",),
    )
    def deliveries(self, request: Request, pk: str | None = None) -> Response:
        """One message to one customer over one channel: what was sent, and why not."""
        return self.answer_page(self.get_object().deliveries.all())

    @extend_schema(
        parameters=[OpenApiParameter("count", int, description="1 to 400; 10 if left out.")],
        responses=serializers.NextRunsSerializer,
        filters=False,
    )
    @action(detail=True, url_path="next-runs", pagination_class=None, filterset_class=None)
    def next_runs(self, request: Request, pk: str | None = None) -> Response:
        """When it runs next, by the clock of its zone; works on a draft."""
        query = serializers.NextRunsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        campaign, now = self.get_object(), timezone.now()
        found = {
            "results": next_runs(campaign, after=now, count=query.validated_data["count"]),
            "skipped": sorted(skipped_runs(campaign, after=now)),
            "inWords": describe(campaign.recur_pattern or ""),
        }
        return Response(serializers.NextRunsSerializer(found).data)

    @extend_schema(
        request=serializers.OccurrenceSerializer, responses=serializers.CampaignRunSerializer
    )
    @action(detail=True, methods=["post"], url_path="skip-run")
    def skip_run(self, request: Request, pk: str | None = None) -> Response:
        """Take one run to come out."""
        values = self.read_body(serializer_class=serializers.OccurrenceSerializer)
        run = occurrences.skip_run(campaign_id=self.get_object().pk, actor=self.actor, **values)
        return Response(serializers.CampaignRunSerializer(run).data)

    @extend_schema(
        request=serializers.OccurrenceSerializer, responses=serializers.CampaignSerializer
    )
    @action(detail=True, methods=["post"], url_path="unskip-run")
    def unskip_run(self, request: Request, pk: str | None = None) -> Response:
        """Let a skipped run go out after all."""
        values = self.read_body(serializer_class=serializers.OccurrenceSerializer)
        campaign = self.get_object()
        occurrences.unskip_run(campaign_id=campaign.pk, actor=self.actor, **values)
        return self._answer(campaign)

    @extend_schema(
        request=serializers.MissedRunSerializer, responses=serializers.CampaignRunSerializer
    )
    @action(detail=True, methods=["post"], url_path="send-missed")
    def send_missed(self, request: Request, pk: str | None = None) -> Response:
        """Let a missed run go out now, late."""
        return self._decide(occurrences.send_missed_run)

    @extend_schema(
        request=serializers.MissedRunSerializer, responses=serializers.CampaignRunSerializer
    )
    @action(detail=True, methods=["post"], url_path="drop-missed")
    def drop_missed(self, request: Request, pk: str | None = None) -> Response:
        """Leave a missed run unsent."""
        return self._decide(occurrences.drop_missed_run)

    def _decide(self, decide: Any) -> Response:
        values = self.read_body(serializer_class=serializers.MissedRunSerializer)
        run = decide(campaign_id=self.get_object().pk, actor=self.actor, **values)
        tasks.ring_on_commit(require_tenant_id())
        return Response(serializers.CampaignRunSerializer(run).data)

    @extend_schema(
        request=serializers.TestSendSerializer,
        responses={202: serializers.TrialMessageSerializer(many=True)},
        filters=False,
    )
    @action(
        detail=True, methods=["post"], url_path="test-send", pagination_class=None,
        filterset_class=None,
    )  # fmt: skip
    def test_send(self, request: Request, pk: str | None = None) -> Response:
        """Send it to staff and test recipients; in no figure, and on nobody's timeline."""
        values = self.read_body(serializer_class=serializers.TestSendSerializer)
        if not values.get("seed_ids") and not values.get("user_ids"):
            seeds = SeedRecipient.objects.filter(is_active=True)
            values["seed_ids"] = list(seeds.values_list("pk", flat=True))
        made = trials.request_trial(
            campaign_id=self.get_object().pk,
            seed_ids=values.pop("seed_ids", ()),
            user_ids=values.pop("user_ids", ()),
            actor=self.actor,
            **values,
        )
        tasks.ring_for_trials_on_commit(require_tenant_id())
        return Response(serializers.TrialMessageSerializer(made, many=True).data, status=202)

    @extend_schema(request=None, responses=serializers.CampaignApprovalSerializer)
    @action(detail=True, methods=["post"], url_path="request-approval")
    def request_approval(self, request: Request, pk: str | None = None) -> Response:
        """Ask a second person to look at a draft; asked again, it is the same request."""
        self.read_body(serializer_class=serializers.EmptySerializer)
        return self._approval(approving.request_approval)

    @extend_schema(
        request=serializers.RemarkSerializer, responses=serializers.CampaignApprovalSerializer
    )
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Agree to it as it stands: staff only, by their session, and never to one's own."""
        values = self.read_body(serializer_class=serializers.RemarkSerializer)
        return self._approval(approving.approve_campaign, remark=values.get("remark"))

    @extend_schema(
        request=serializers.RemarkSerializer, responses=serializers.CampaignApprovalSerializer
    )
    @action(detail=True, methods=["post"], url_path="return")
    def give_back(self, request: Request, pk: str | None = None) -> Response:
        """Return it with a remark on what is to be changed."""
        values = self.read_body(serializer_class=serializers.RemarkSerializer)
        return self._approval(approving.return_campaign, remark=values.get("remark") or "")

    @list_action(
        serializer_class=serializers.CampaignApprovalSerializer,
        filterset_class=filters.CampaignApprovalFilter,
        ordering="-requested_at",
        ordering_fields=("requested_at",),
    )
    def approvals(self, request: Request, pk: str | None = None) -> Response:
        """Who asked, who agreed or returned it, and what the review showed then."""
        return self.answer_page(self.get_object().approvals.all())

    def _approval(self, decide: Any, **values: Any) -> Response:
        made = decide(
            campaign_id=self.get_object().pk, actor=self.actor, now=timezone.now(), **values
        )
        return Response(serializers.CampaignApprovalSerializer(made).data)

    def _move(self, move: Any) -> Response:
        self.read_body(serializer_class=serializers.EmptySerializer)
        return self._answer(move(campaign_id=self.get_object().pk, actor=self.actor))

    def _answer(self, campaign: Campaign) -> Response:
        tasks.ring_on_commit(require_tenant_id())
        return Response(serializers.CampaignSerializer(campaign).data)


class CampaignInteractionViewSet(TenantReadOnlyViewSet):
    """What came of campaigns' messages: one row per event."""

    model = CampaignInteraction
    scope = "campaigns"
    permission_model = "campaigns.campaigninteraction"
    serializer_class = serializers.CampaignInteractionSerializer
    filterset_class = filters.CampaignInteractionFilter
    ordering = "-occurred_at"
    ordering_fields = ("occurred_at",)


class EventPromotionViewSet(TenantModelViewSet):
    """How competitions and club events are announced and reminded of."""

    model = EventPromotion
    scope = "campaigns"
    permission_model = "campaigns.eventpromotion"
    serializer_class = serializers.EventPromotionSerializer
    filterset_class = filters.EventPromotionFilter

    def create_row(self, values: dict[str, Any]) -> EventPromotion:
        return promotions.create_promotion(values=values, actor=self.actor)

    def change_row(self, row: EventPromotion, values: dict[str, Any]) -> EventPromotion:
        return promotions.change_promotion(promotion=row, values=values)

    def delete_row(self, row: EventPromotion) -> None:
        row.delete()
