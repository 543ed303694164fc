"""Campaigns, their runs, and the ledger of what was sent to whom."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from campaigns.choices import (
    CampaignStatus,
    CampaignType,
    DeliveryState,
    PassedHour,
    QuietHoursPolicy,
    RunStatus,
    WinnerMetric,
)
from crm_site.db.auditing import audited
from crm_site.db.base import SoftDeleteModel, TimestampedModel, one_of, only
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel, tenant_managers
from crm_site.tenancy.models import Club, validate_time_zone
from customers.models import CustomerProfile
from segments.models import CustomerSegment

COUNTERS = (
    "target_count",
    "sent_count",
    "delivered_count",
    "opened_count",
    "clicked_count",
    "converted_count",
    "unsubscribed_count",
    "bounced_count",
    "delivery_rate",
    "open_rate",
    "click_rate",
    "conversion_rate",
)
# The channel's template on a campaign; a channel that is not here cannot be sent over yet.
TEMPLATE_FIELDS = {
    Channel.EMAIL: "email_template_id",
    Channel.SMS: "sms_template_id",
    Channel.PUSH: "push_template_id",
}

# A message is not the reason for what happens a season later.
LONGEST_GOAL_DAYS = 90
# A key may be repeated for a day and a half; what starts later than a day could not be settled.
LONGEST_LATE_MINUTES = 1_440
LONGEST_DELAY_MINUTES = 90 * 1_440
# A clock is at most so far ahead of another: from UTC-12 to UTC+14.
FURTHEST_ZONES = timedelta(hours=26)
# Told to go out at nine, a message at ten is late but welcome; at midnight it is neither. An event
# may come with the nightly files of another system.
LATE_RUN, LATE_EVENT = timedelta(hours=1), timedelta(days=1)


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def live(self) -> "CampaignQuerySet":
        return self.filter(deleted_at__isnull=True)

    def due(self, now: datetime) -> "CampaignQuerySet":
        """Scheduled campaigns whose time has come, or may have come for somebody further east."""
        is_due = (
            Q(scheduled_at__lte=now)
            | Q(scheduled_at__lte=now + FURTHEST_ZONES, send_in_own_zone=True)
            # Its pattern says when.
            | Q(scheduled_at__isnull=True, type=CampaignType.RECURRING)
        )
        return self.live().filter(is_due, status=CampaignStatus.SCHEDULED)


class Campaign(TenantModel, TimestampedModel, SoftDeleteModel):
    """Something a club says to a segment, over one or more channels.

    Counters and rates are derived from ``Delivery`` and ``CampaignInteraction`` rows and can be
    rebuilt from them (``services/statistics.py`` says what each counts); a rate is a fraction, null
    where nothing was there to divide by.
    """

    club = models.ForeignKey(
        Club, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    name = models.CharField(max_length=200)
    description = models.TextField(null=True, blank=True)
    type = models.CharField(max_length=16, choices=CampaignType, default=CampaignType.ONE_TIME)
    status = models.CharField(
        max_length=16, choices=CampaignStatus, default=CampaignStatus.DRAFT, editable=False
    )
    segment = models.ForeignKey(
        CustomerSegment, models.PROTECT, null=True, blank=True, related_name="campaigns"
    )
    channels = ArrayField(
        models.CharField(max_length=16, choices=Channel), default=list, blank=True
    )
    scheduled_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", null=True, validators=[validate_time_zone]
    )
    recur_pattern = models.CharField(
        max_length=100, null=True, blank=True, help_text="Cron expression: 0 9 * * 1."
    )
    recur_end_at = models.DateTimeField("ends", null=True, blank=True)
    send_in_own_zone = models.BooleanField(
        "by each person's own clock",
        default=False,
        help_text="Everybody hears when it is that time where they are.",
    )
    passed_hour = models.CharField(
        "where the hour has passed already",
        max_length=8,
        choices=PassedHour,
        default=PassedHour.SEND,
    )
    late_limit_minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_LATE_MINUTES)],
        help_text="Minutes a run may start late, or an event of a triggered campaign arrive late; "
        "blank: an hour, or a day for events.",
    )
    trigger_event_type = models.CharField(
        "event", max_length=64, null=True, blank=True, help_text="An activity: TEETIME_BOOKED."
    )
    trigger_conditions = models.JSONField(
        null=True,
        blank=True,
        help_text="One group of rules over the customer and the event: "
        '{"combinator": "AND", "rules": [{"field": "event.metadata.players", '
        '"operator": "greaterThan", "value": 2}]}',
    )
    trigger_delay_minutes = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_DELAY_MINUTES)],
        help_text="Minutes from the event to the message.",
    )
    trigger_once_days = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="Nobody hears more than once within so many days.",
    )
    stopped_reason = models.TextField(
        null=True, blank=True, editable=False, help_text="Why it paused by itself."
    )
    email_template_id = models.CharField("e-mail template", max_length=128, null=True, blank=True)
    sms_template_id = models.CharField("SMS template", max_length=128, null=True, blank=True)
    push_template_id = models.CharField("push template", max_length=128, null=True, blank=True)

    goal_activity_type = models.CharField(
        "goal",
        max_length=64,
        null=True,
        blank=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9_]*\Z", "Upper snake case: TEETIME_BOOKED.")],
        help_text="What people should do after the message, as an activity: TEETIME_BOOKED.",
    )
    goal_days = models.PositiveSmallIntegerField(
        "within days",
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_GOAL_DAYS)],
        help_text="Counts for a message if done within so many days after it.",
    )
    goal_has_revenue = models.BooleanField(
        "add up money",
        default=False,
        help_text="Adds up what those activities were worth.",
    )
    quiet_hours_policy = models.CharField(
        "in the quiet hours",
        max_length=8,
        choices=QuietHoursPolicy,
        default=QuietHoursPolicy.WAIT,
        help_text="By the clock of each person's own time zone.",
    )
    messages_per_hour = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many an hour, evenly; blank: as fast as Messaging takes them.",
    )
    hold_out_percent = models.PositiveSmallIntegerField(
        "hold-out",
        default=0,
        validators=[MaxValueValidator(50)],
        help_text="Percent of the audience that never hears, to compare with; the same people each "
        "time it runs.",
    )
    test_percent = models.PositiveSmallIntegerField(
        "test group",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the audience that gets the variants; blank: no test.",
    )
    test_metric = models.CharField(
        "winner by", max_length=16, choices=WinnerMetric, default=WinnerMetric.OPENED
    )
    test_hours = models.PositiveSmallIntegerField(
        "decided after",
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(24)],
        help_text="Hours after the last variant went out; then the others get the winner.",
    )

    target_count = models.IntegerField(default=0, editable=False)
    sent_count = models.IntegerField(default=0, editable=False)
    delivered_count = models.IntegerField(default=0, editable=False)
    opened_count = models.IntegerField(default=0, editable=False)
    clicked_count = models.IntegerField(default=0, editable=False)
    converted_count = models.IntegerField(default=0, editable=False)
    unsubscribed_count = models.IntegerField(default=0, editable=False)
    bounced_count = models.IntegerField(default=0, editable=False)
    delivery_rate = models.FloatField(null=True, blank=True, editable=False)
    open_rate = models.FloatField(null=True, blank=True, editable=False)
    click_rate = models.FloatField(null=True, blank=True, editable=False)
    conversion_rate = models.FloatField(null=True, blank=True, editable=False)

    is_system = models.BooleanField(
        default=False,
        editable=False,
        help_text="Fairway's own: messages sent by hand to one customer at a time belong to it.",
    )
    created_by = models.CharField(max_length=100, editable=False)

    objects, all_tenants = tenant_managers(CampaignQuerySet)

    class Meta(TenantModel.Meta):
        permissions = [
            ("launch_campaign", "Can start, pause and cancel campaigns"),
            ("approve_campaign", "Can approve somebody else's campaigns"),
        ]
        constraints = [
            one_of("type", CampaignType, model="campaign"),
            one_of("status", CampaignStatus, model="campaign"),
            only("channels", Channel, model="campaign"),
            models.CheckConstraint(
                condition=Q(goal_days__range=(1, LONGEST_GOAL_DAYS)), name="campaign_goal_days"
            ),
            one_of("quiet_hours_policy", QuietHoursPolicy, model="campaign"),
            one_of("test_metric", WinnerMetric, model="campaign"),
            models.CheckConstraint(
                condition=Q(hold_out_percent__lte=50), name="campaign_hold_out_share"
            ),
            models.CheckConstraint(
                condition=Q(test_percent__range=(1, 100)) | Q(test_percent__isnull=True),
                name="campaign_test_share",
            ),
            models.CheckConstraint(
                condition=Q(messages_per_hour__gte=1) | Q(messages_per_hour__isnull=True),
                name="campaign_pace",
            ),
            one_of("passed_hour", PassedHour, model="campaign"),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(is_system=True, deleted_at__isnull=True),
                name="campaign_system_once",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "status"], name="campaign_status"),
            models.Index(fields=["tenant", "type"], name="campaign_type"),
            # Asked with every batch of activities: who waits for such an event?
            models.Index(
                fields=["tenant", "trigger_event_type"],
                condition=Q(type="TRIGGERED", status__in=["ACTIVE", "PAUSED"]),
                name="campaign_trigger",
            ),
            models.Index(fields=["tenant", "scheduled_at"], name="campaign_scheduled"),
            models.Index(fields=["tenant", "club"], name="campaign_club"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="campaign_newest"),
        ]
        triggers = audited(*COUNTERS)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.recur_end_at and self.scheduled_at and self.recur_end_at <= self.scheduled_at:
            raise ValidationError({"recur_end_at": "The end must come after the start."})

    @property
    def late_limit(self) -> timedelta:
        """How late a run may still start, or an event still lead to a message."""
        if self.late_limit_minutes is not None:
            return timedelta(minutes=self.late_limit_minutes)
        return LATE_EVENT if self.type == CampaignType.TRIGGERED else LATE_RUN

    @property
    def trigger_delay(self) -> timedelta:
        return timedelta(minutes=self.trigger_delay_minutes)

    def template_for(self, channel: str) -> str | None:
        """The Messaging template chosen for a channel."""
        field = TEMPLATE_FIELDS.get(Channel(channel))
        return getattr(self, field) if field else None


class CampaignRunQuerySet(models.QuerySet["CampaignRun"]):
    def unfinished(self) -> "CampaignRunQuerySet":
        """Runs with somebody still to write to, or with outcomes still to learn."""
        return self.filter(
            completed_at__isnull=True,
            status__in=[RunStatus.PENDING, RunStatus.SENDING, RunStatus.CANCELLED],
        )


class CampaignRun(TenantModel, TimestampedModel):
    """One occurrence of a campaign: once for a ONE_TIME, every time for a RECURRING one.

    Unique on campaign and occurrence time, so two beats, or a button pressed twenty times, make
    one run. A cancelled run is finished only when what was under way is settled.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="runs", db_index=False)
    occurrence_at = models.DateTimeField("due")
    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.PENDING)
    target_count = models.IntegerField(
        "in the segment", default=0, help_text="People in the segment at the snapshot."
    )
    snapshot_at = models.DateTimeField(
        null=True, blank=True, help_text="When its recipients were written down."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its last outcome was settled."
    )
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person let it go out although it was missed."
    )
    error = models.TextField(null=True, blank=True)
    next_claim_at = models.DateTimeField(
        null=True, blank=True, help_text="Where its campaign goes slowly: not before this moment."
    )
    decide_at = models.DateTimeField(
        "test ends", null=True, blank=True, help_text="When the winner of its test is chosen."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    winner = models.ForeignKey(
        "campaigns.CampaignVariant",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_by = models.CharField(max_length=100)

    objects, all_tenants = tenant_managers(CampaignRunQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "occurrence_at"], name="run_once"),
            one_of("status", RunStatus, model="run"),
        ]
        indexes = [
            models.Index(fields=["tenant", "status"], name="run_status"),
            models.Index(fields=["tenant", "-occurrence_at", "-id"], name="run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, {self.occurrence_at:%d %b %Y %H:%M}"

    @property
    def is_in_test(self) -> bool:
        """Whether a winner is still to be chosen, and who is in no test group waits for it."""
        is_undecided = self.decide_at is not None and self.decided_at is None
        return is_undecided and self.status == RunStatus.SENDING


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def unsettled(self) -> "DeliveryQuerySet":
        """Messages whose outcome is still open."""
        return self.filter(
            state__in=[DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.UNKNOWN]
        )


class Delivery(TenantModel, TimestampedModel):
    """One message to one customer over one channel: the outbox, and the proof.

    It belongs to a run of a campaign, or to a customer's visit of a journey step. Both are unique
    per customer and channel, and the idempotency key follows from them: whatever crashes, the same
    row asks Messaging with the same key and the same body.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, blank=True, related_name="deliveries", db_index=False
    )
    run = models.ForeignKey(
        CampaignRun,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="deliveries",
        db_index=False,
    )
    # An id, not a key: journeys lie above campaigns. JourneyEnrollmentStep.id.
    journey_visit_id = models.UUIDField(null=True, blank=True)
    customer = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=16, choices=Channel)
    template_id = models.CharField(max_length=128, null=True, blank=True)
    variant = models.ForeignKey(
        "campaigns.CampaignVariant",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="deliveries",
        db_index=False,
        help_text="Of the campaign's test; blank for who is not in it, the winner's readers too.",
    )
    idempotency_key = models.CharField(max_length=128)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    reason = models.CharField(
        max_length=32,
        null=True,
        blank=True,
        help_text="Why it was not sent; Messaging's own words in error.",
    )
    error = models.TextField(null=True, blank=True)
    request = models.JSONField(
        null=True,
        blank=True,
        help_text="The message as first asked for: repeats of a key must carry the same body.",
    )
    message_id = models.CharField(max_length=128, null=True, blank=True)
    due_at = models.DateTimeField(
        help_text="Not before this moment; while it is being sent, the end of the lease."
    )
    planned_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it was to go out, where that is not the time of its run.",
    )
    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(
        default=0,
        db_default=0,
        help_text="Of the attempts: those Messaging answered with an error or not at all. "
        "A worker that was killed is not one.",
    )
    claim_token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    first_requested_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects, all_tenants = tenant_managers(DeliveryQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "customer", "channel"],
                condition=Q(run__isnull=False),
                name="delivery_of_run_once",
            ),
            models.UniqueConstraint(
                fields=["journey_visit_id", "channel"],
                condition=Q(journey_visit_id__isnull=False),
                name="delivery_of_visit_once",
            ),
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="delivery_key_once"),
            models.CheckConstraint(
                condition=Q(run__isnull=False) | Q(journey_visit_id__isnull=False),
                name="delivery_has_origin",
            ),
            one_of("state", DeliveryState, model="delivery"),
            one_of("channel", Channel, model="delivery"),
        ]
        indexes = [
            # Serves the claim, run by run, so that a paused million is never walked over to find
            # the hundred beside it; empty once everything is settled.
            models.Index(
                fields=["run", "due_at", "id"],
                condition=Q(state__in=["PENDING", "CLAIMED", "UNKNOWN"], run__isnull=False),
                name="delivery_open_of_run",
            ),
            models.Index(
                fields=["tenant", "due_at", "id"],
                condition=Q(state__in=["PENDING", "CLAIMED", "UNKNOWN"], run__isnull=True),
                name="delivery_open_of_visit",
            ),
            models.Index(fields=["run", "state", "reason"], name="delivery_of_run"),
            models.Index(fields=["campaign", "-created_at", "-id"], name="delivery_of_campaign"),
            models.Index(
                fields=["tenant", "message_id"],
                condition=Q(message_id__isnull=False),
                name="delivery_message",
            ),
            models.Index(fields=["tenant", "-created_at", "-id"], name="delivery_newest"),
            # Who heard how much lately: caps, and how fast a run goes.
            models.Index(
                fields=["tenant", "settled_at"],
                condition=Q(state="ACCEPTED"),
                name="delivery_accepted",
            ),
            models.Index(
                fields=["variant"],
                condition=Q(variant__isnull=False),
                name="delivery_of_variant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} to {self.customer_id}"
