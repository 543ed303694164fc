"""How members of staff like their lists."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm_site.db.base import TimestampedModel
from crm_site.tenancy.base import TenantModel, tenant_managers

LONGEST_QUERY = 2_000


class ListColumns(TenantModel):
    """The columns one member of staff sees in one list. Without a row: the list's own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    list_name = models.CharField(max_length=100, help_text="customers.customerprofile")
    columns = ArrayField(models.CharField(max_length=64))

    class Meta(TenantModel.Meta):
        verbose_name_plural = "list columns"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "list_name"], name="columns_once")
        ]

    def __str__(self) -> str:
        return f"{self.list_name}: {', '.join(self.columns)}"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def offered_to(self, user_id: int, list_name: str) -> "SavedViewQuerySet":
        """Their own of one list, and those that others share; by name."""
        theirs = Q(owner=user_id) | Q(is_shared=True)
        return self.filter(theirs, list_name=list_name).order_by("name", "pk")


class SavedView(TenantModel, TimestampedModel):
    """A list as somebody wants to find it again: what it is narrowed to, in which order, and which
    columns. One's own, or shared with everybody who may see the list."""

    list_name = models.CharField(max_length=100, help_text="customers.customerprofile")
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    is_shared = models.BooleanField("shared", default=False)
    query = models.CharField(
        max_length=LONGEST_QUERY, blank=True, help_text="As in the address: tier=Gold&o=-5."
    )
    columns = ArrayField(models.CharField(max_length=64))

    objects, all_tenants = tenant_managers(SavedViewQuerySet)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "list_name", "owner", "name"], name="view_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
