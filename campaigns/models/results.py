"""What came of a campaign, added up from its rows so that its page need not."""

from django.db import models

from campaigns.choices import Dimension
from campaigns.models.campaign import Campaign
from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel


class CampaignResults(TenantModel):
    """The last time one campaign's results were added up, and its people beside the hold-out.

    People, not messages: somebody written to five times is one. Derived; can be rebuilt.
    """

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="results")
    counted_at = models.DateTimeField()
    counted_from = models.JSONField(
        default=dict,
        help_text='What the campaign\'s row said then: {"sent_count": 412, …, "goal_days": 7}. '
        "While it still does, there is nothing to add up anew.",
    )
    open_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when an activity may still meet the goal."
    )
    states = models.JSONField(
        default=dict, help_text='Deliveries by state and reason: {"ACCEPTED": {"": 412}}.'
    )
    sent_by_run = models.JSONField(default=dict, help_text='Messages sent: {"<run id>": 412}.')
    reached_people = models.IntegerField(default=0)
    reached_converted = models.IntegerField(default=0)
    held_out_people = models.IntegerField(default=0)
    held_out_converted = models.IntegerField(default=0)
    revenue = models.DecimalField(
        max_digits=16, decimal_places=2, null=True, blank=True, help_text="In cents."
    )

    class Meta(TenantModel.Meta):
        verbose_name = "campaign's results"
        verbose_name_plural = "campaigns' results"
        indexes = [models.Index(fields=["tenant", "campaign"], name="results_campaign")]

    def __str__(self) -> str:
        return f"Results of {self.campaign_id}"


class CampaignBreakdown(TenantModel):
    """The figures of one campaign for one channel, tier, device, hour … (messages, each once).

    Derived; can be rebuilt. Of links and devices only opens and clicks are known.
    """

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="breakdowns", db_index=False
    )
    dimension = models.CharField(max_length=16, choices=Dimension)
    value = models.CharField(
        max_length=2000,
        blank=True,
        help_text="The channel, tier, address or id; of an hour, the hours since the start. "
        "Blank: not known.",
    )
    sent = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0)
    opened = models.IntegerField(default=0)
    clicked = models.IntegerField(default=0)
    converted = models.IntegerField(default=0)
    unsubscribed = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    revenue = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "breakdown"
        constraints = [one_of("dimension", Dimension, model="breakdown")]
        indexes = [models.Index(fields=["campaign", "dimension"], name="breakdown_campaign")]

    def __str__(self) -> str:
        return f"{self.get_dimension_display()} {self.value}"
