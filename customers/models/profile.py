"""The customer."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from crm_site.db.auditing import audited
from crm_site.db.base import SoftDeleteModel, TimestampedModel, is_live, one_of
from crm_site.messaging.channels import Channel
from crm_site.tenancy.base import TenantModel, tenant_managers
from crm_site.tenancy.models import validate_time_zone
from customers.choices import CustomerStatus, LifecycleStage

LIVE = is_live(("deleted_at", "merged_at"))
SCORE = [MinValueValidator(0), MaxValueValidator(100)]

# Messaging owns consent: the flag, and since when, per channel that has one.
CONSENT_FLAGS = {
    Channel.EMAIL: "email_opt_in",
    Channel.SMS: "sms_opt_in",
    Channel.PUSH: "push_opt_in",
    Channel.WHATSAPP: "whatsapp_opt_in",
}
CONSENT_FIELDS = tuple(
    name
    for flag in CONSENT_FLAGS.values()
    for name in (flag, f"{flag}_at", f"{flag.removesuffix('_opt_in')}_consent_changed_at")
)

# Kept by the machine as events come and time passes; changes of these are not audited.
COMPUTED_FIELDS = (
    "engagement_score",
    "engagement_score_at",
    "churn_risk_score",
    "churn_risk_score_at",
    "lifetime_value",
    "lifetime_value_at",
    "predicted_ltv",
    "last_activity_at",
    "last_activity_type",
    "activity_count_30d",
    "activity_count_90d",
    "booking_count_30d",
    "booking_count_90d",
    "last_booking_at",
    "last_email_open_at",
    "last_email_click_at",
    "handicap_updated_at",
    "source_times",
    "search_vector",
)


def reachable(channel: Channel) -> Q:
    """Consent to the channel, an address for it, and not set aside as inactive."""
    address = {
        Channel.EMAIL: "email",
        Channel.SMS: "phone_number",
        Channel.WHATSAPP: "phone_number",
        Channel.PUSH: "auth_user_id",
    }
    return Q(
        **{f"{address[channel]}__isnull": False, CONSENT_FLAGS[channel]: True},
        status=CustomerStatus.ACTIVE,
    )


class CustomerProfileQuerySet(models.QuerySet["CustomerProfile"]):
    def live(self) -> "CustomerProfileQuerySet":
        """Profiles of people we may deal with: neither deleted nor merged away."""
        return self.filter(LIVE)


class CustomerProfile(TenantModel, TimestampedModel, SoftDeleteModel):
    """One person as one tenant knows them, put together from SCL, TeeTime and Messaging.

    A merged profile stays, marked MERGED and pointing at its survivor; it never matches a segment
    and holds no identifier. Opt-in flags are Messaging's: a trigger keeps every other writer out.
    """

    # Identity keys. At least one is there, or a name.
    auth_user_id = models.CharField(
        max_length=64, null=True, blank=True, help_text="User id at the identity provider."
    )
    email = models.EmailField(null=True, blank=True, help_text="Lower case, trimmed.")
    phone_number = models.CharField(
        max_length=20, null=True, blank=True, help_text="E.164, as in +27825550101."
    )

    # Links to the other services.
    scl_member_id = models.IntegerField("member number", null=True, blank=True)
    teetime_player_id = models.CharField(max_length=64, null=True, blank=True)
    messaging_contact_id = models.CharField(max_length=64, null=True, blank=True)
    external_ids = models.JSONField(
        null=True, blank=True, help_text='Ids elsewhere: {"golfRsaId": "2710045"}.'
    )

    # Who they are.
    first_name = models.CharField(max_length=100, null=True, blank=True)
    last_name = models.CharField(max_length=100, null=True, blank=True)
    display_name = models.CharField(
        max_length=200, null=True, blank=True, help_text="Shown instead of first and last name."
    )
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=10, null=True, blank=True)
    avatar_url = models.URLField(max_length=500, null=True, blank=True)
    address_line1 = models.CharField("address", max_length=200, null=True, blank=True)
    address_line2 = models.CharField("address, second line", max_length=200, null=True, blank=True)
    city = models.CharField(max_length=100, null=True, blank=True)
    state = models.CharField("province", max_length=100, null=True, blank=True)
    postal_code = models.CharField(max_length=20, null=True, blank=True)
    country = models.CharField(
        max_length=2, null=True, blank=True, help_text="ISO 3166-1 alpha-2, as in ZA."
    )
    time_zone = models.CharField(
        max_length=64, null=True, blank=True, validators=[validate_time_zone]
    )
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    # Where they stand.
    status = models.CharField(max_length=16, choices=CustomerStatus, default=CustomerStatus.ACTIVE)
    lifecycle_stage = models.CharField(
        "stage", max_length=16, choices=LifecycleStage, default=LifecycleStage.SUBSCRIBER
    )
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)

    # Golf, from TeeTime.
    handicap = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    handicap_provider = models.CharField(max_length=32, null=True, blank=True)
    handicap_updated_at = models.DateTimeField(null=True, blank=True)
    home_club_id = models.CharField(max_length=64, null=True, blank=True)
    home_club_name = models.CharField("home club", max_length=200, null=True, blank=True)

    # Membership, from SCL. Calendar facts, so dates.
    membership_tier = models.CharField(max_length=64, null=True, blank=True)
    membership_status = models.CharField(max_length=32, null=True, blank=True)
    member_since = models.DateField(null=True, blank=True)
    membership_expiry = models.DateField(null=True, blank=True)

    # Consent, from Messaging: read only everywhere else.
    email_opt_in = models.BooleanField("e-mail consent", default=False, editable=False)
    email_opt_in_at = models.DateTimeField(null=True, blank=True, editable=False)
    email_consent_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    sms_opt_in = models.BooleanField("SMS consent", default=False, editable=False)
    sms_opt_in_at = models.DateTimeField(null=True, blank=True, editable=False)
    sms_consent_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    push_opt_in = models.BooleanField("push consent", default=False, editable=False)
    push_opt_in_at = models.DateTimeField(null=True, blank=True, editable=False)
    push_consent_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    whatsapp_opt_in = models.BooleanField("WhatsApp consent", default=False, editable=False)
    whatsapp_opt_in_at = models.DateTimeField(null=True, blank=True, editable=False)
    whatsapp_consent_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Scores, 0 to 100.
    engagement_score = models.IntegerField(null=True, blank=True, validators=SCORE)
    engagement_score_at = models.DateTimeField(null=True, blank=True)
    churn_risk_score = models.IntegerField(null=True, blank=True, validators=SCORE)
    churn_risk_score_at = models.DateTimeField(null=True, blank=True)

    # Money, in cents of the tenant's currency.
    lifetime_value = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    lifetime_value_at = models.DateTimeField(null=True, blank=True)
    predicted_ltv = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)

    # What they did, kept for queries.
    last_activity_at = models.DateTimeField("last seen", null=True, blank=True)
    last_activity_type = models.CharField(max_length=64, null=True, blank=True)
    activity_count_30d = models.IntegerField(default=0)
    activity_count_90d = models.IntegerField(default=0)
    booking_count_30d = models.IntegerField(default=0)
    booking_count_90d = models.IntegerField(default=0)
    last_booking_at = models.DateTimeField("last booked", null=True, blank=True)
    last_email_open_at = models.DateTimeField(null=True, blank=True)
    last_email_click_at = models.DateTimeField(null=True, blank=True)

    # Where a merged profile went.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    merged_at = models.DateTimeField(null=True, blank=True, editable=False)

    # When everything personal was taken off this row, for good. It is deleted, too.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.CharField(max_length=100, null=True, blank=True, editable=False)
    updated_by = models.CharField(max_length=100, null=True, blank=True, editable=False)

    # Which source said what we hold, and when, so that late events do not undo newer ones.
    source_times = models.JSONField(
        default=dict,
        editable=False,
        help_text='Microseconds since 1970: {"scl": {"city": 1763793000000000}}.',
    )

    # Words to find the person by; triggers keep it (customers.0003).
    search_vector = SearchVectorField(null=True, editable=False)

    objects, all_tenants = tenant_managers(CustomerProfileQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "customer"
        permissions = [
            ("merge_customerprofile", "Can merge customers"),
            ("erase_customerprofile", "Can erase customers"),
            ("export_customerprofile", "Can export customers"),
        ]
        constraints = [
            *(
                models.UniqueConstraint(
                    fields=["tenant", field], condition=LIVE, name=f"customer_{field}_live"
                )
                for field in (
                    "auth_user_id",
                    "email",
                    "phone_number",
                    "scl_member_id",
                    "teetime_player_id",
                    "messaging_contact_id",
                )
            ),
            one_of("status", CustomerStatus, model="customer"),
            one_of("lifecycle_stage", LifecycleStage, model="customer"),
        ]
        indexes = [
            models.Index(fields=["tenant", "status"], name="customer_status"),
            models.Index(fields=["tenant", "lifecycle_stage"], name="customer_stage"),
            models.Index(fields=["tenant", "membership_status"], name="customer_membership"),
            models.Index(fields=["tenant", "engagement_score"], name="customer_engagement"),
            models.Index(
                fields=["tenant", "last_activity_at", "id"], name="customer_last_activity"
            ),
            models.Index(fields=["tenant", "email_opt_in"], name="customer_email_opt_in"),
            # The data model's (tenantId, tags) GIN; the tenant would need btree_gin, an extension.
            GinIndex(fields=["tags"], name="customer_tags"),
            GinIndex(fields=["search_vector"], name="customer_search"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="customer_newest"),
            # The list's own order: people never seen come last.
            models.Index(
                F("tenant"),
                F("last_activity_at").desc(nulls_last=True),
                F("id").desc(),
                name="customer_last_seen",
            ),
            # Who lives in one house.
            models.Index(
                fields=["tenant", "address_line1"],
                name="customer_address",
                condition=LIVE & Q(address_line1__isnull=False),
            ),
            # Which tiers there are, and who has one.
            models.Index(fields=["tenant", "membership_tier"], name="customer_tier"),
        ]
        triggers = [
            # An ERASE entry tells of ``erased_at``.
            *audited(*COMPUTED_FIELDS, "erased_at", comes_in_bulk=True),
            pgtrigger.Trigger(
                name="consent_on_insert",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    " OR ".join(f"NEW.{flag}" for flag in CONSENT_FLAGS.values())
                ),
                func="PERFORM fairway_consent_guard(); RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="consent_on_update",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*CONSENT_FIELDS),
                func="PERFORM fairway_consent_guard(); RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What to call them on a screen; never blank."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.display_name or full or self.email or self.phone_number or "Unnamed customer"

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None and self.merged_at is None

    def has_consent(self, channel: str) -> bool:
        """Whether Messaging last said yes for the channel; False for channels without a flag."""
        flag = CONSENT_FLAGS.get(Channel(channel))
        return bool(flag and getattr(self, flag))
