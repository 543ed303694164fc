"""When Messaging asked a tenant to wait."""

from django.db import models

from crm_site.tenancy.base import TenantModel


class SendingHold(TenantModel):
    """Nothing of this tenant is sent before ``until``: Messaging said slow down, or was away.

    A row and not a cache entry, so that every worker obeys it and a broker emptied does not lift
    it. One per tenant, made by the first wait.
    """

    until = models.DateTimeField()
    reason = models.TextField(help_text="Messaging's own words.")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="hold_once")]

    def __str__(self) -> str:
        return f"Until {self.until:%H:%M:%S}: {self.reason}"
