"""Events that triggered campaigns answer."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from campaigns.choices import FiringReason, FiringState
from campaigns.models.campaign import Campaign, CampaignRun
from crm_site.db.base import one_of
from crm_site.tenancy.base import TenantModel, tenant_managers
from customers.models import Activity, CustomerProfile


class TriggerFiringQuerySet(models.QuerySet["TriggerFiring"]):
    def waiting(self) -> "TriggerFiringQuerySet":
        return self.filter(state=FiringState.WAITING)

    def due(self, now: datetime) -> "TriggerFiringQuerySet":
        return self.waiting().filter(due_at__lte=now)


class TriggerFiring(TenantModel):
    """One event that a triggered campaign answers: waiting for its time, fired, or left out.

    Written in the transaction that records the event, once per campaign and event. Conditions are
    asked when it is due, so that "booked, and has not played a week later" can be said. No row is
    written for an event that was recorded too late to be answered.
    """

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="firings", db_index=False)
    activity = models.ForeignKey(Activity, models.CASCADE, related_name="+")
    customer = models.ForeignKey(CustomerProfile, models.CASCADE, related_name="+")
    due_at = models.DateTimeField(help_text="The event's time, and the delay.")
    state = models.CharField(max_length=16, choices=FiringState, default=FiringState.WAITING)
    reason = models.CharField(max_length=32, choices=FiringReason, null=True, blank=True)
    run = models.ForeignKey(CampaignRun, models.SET_NULL, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    objects, all_tenants = tenant_managers(TriggerFiringQuerySet)

    class Meta(TenantModel.Meta):
        verbose_name = "event of a campaign"
        verbose_name_plural = "events of campaigns"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "activity"], name="firing_once"),
            one_of("state", FiringState, model="firing"),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "due_at", "id"],
                condition=Q(state="WAITING"),
                name="firing_waiting",
            ),
            # Was this person written to lately?
            models.Index(
                fields=["campaign", "customer", "due_at"],
                condition=Q(state="FIRED"),
                name="firing_fired",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, {self.due_at:%d %b %Y %H:%M}"
