from django.contrib import admin
from django.core import checks

from crm_site.backoffice.options import TenantModelAdmin, dialog_action
from crm_site.tenancy.models import Club


def test_the_screens_are_checked_without_a_database():
    """No database fixture here: `migrate` runs these checks before there is any table."""
    assert checks.run_checks(tags=["admin"]) == []


def test_a_button_that_asks_for_a_permission_nobody_has_is_an_error():
    class Mistaken(TenantModelAdmin):
        ordering = ("name",)
        actions_detail = ("press",)

        @dialog_action(title="Press", permissions=("tenancy.press_club",))
        def press(self, request, form, obj):
            return None

    errors = Mistaken(Club, admin.site).check()

    assert [error.id for error in errors] == ["backoffice.E001"]
