"""Who gets test messages besides staff."""

from django.contrib import admin

from campaigns.models import SeedRecipient
from crm_site.backoffice.options import TenantModelAdmin


@admin.register(SeedRecipient)
class SeedRecipientAdmin(TenantModelAdmin):
    list_display = ("name", "email", "phone_number", "is_active")
    sortable_by = ("name",)
    ordering = ("name", "pk")
    search_fields = ("name__istartswith",)
    fields = ("name", "email", "phone_number", "auth_user_id", "is_active")
    allows_delete = True
    empty_title = "No test recipients yet"
    empty_text = (
        "Staff can always be sent a test. Add a mailbox or a phone of your own here to see how a "
        "campaign looks elsewhere; tests count in no figure."
    )
