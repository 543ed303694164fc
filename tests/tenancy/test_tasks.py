"""A task works for the tenant it was given, and for no other."""

import pytest
from celery import shared_task
from django.db import DatabaseError, connection, transaction

from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import current_tenant_id, tenant_scope
from customers.models import CustomerProfile
from tests.factories import make_customer


@shared_task(name="tests.rename_everybody", base=TenantTask)
def rename_everybody(tenant_id: str, city: str) -> int:
    with transaction.atomic():
        return CustomerProfile.all_tenants.update(city=city)


@pytest.fixture
def stranger(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        return make_customer(city="Paarl")


def test_it_sees_its_tenant_only_even_without_a_filter(tenant, stranger, other_tenant):
    mine = make_customer(city="Durban")

    with tenant_scope(""):
        assert rename_everybody(tenant.pk, "George") == 1

    mine.refresh_from_db()
    assert mine.city == "George"
    with tenant_scope(other_tenant.pk):
        stranger.refresh_from_db()
        assert stranger.city == "Paarl"


def test_what_it_changes_is_audited_in_its_name(tenant):
    mine = make_customer(city="Durban")

    rename_everybody(tenant.pk, "George")

    entry = CrmAuditLog.objects.get(entity_id=str(mine.pk), action="UPDATE")
    assert entry.performed_by == "system:tests.rename_everybody"


def test_its_scope_ends_with_it(tenant, other_tenant):
    rename_everybody(other_tenant.pk, "George")

    assert current_tenant_id() == tenant.pk


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE fairway_owner",
        "SET ROLE fairway_search",
        "SET SESSION AUTHORIZATION fairway_owner",
        "ALTER TABLE customers_customerprofile DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE customers_customerprofile NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON customers_customerprofile USING (true)",
        "DROP POLICY tenant_isolation ON customers_customerprofile",
        "ALTER ROLE fairway_app BYPASSRLS",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "ALTER TABLE customers_customerprofile DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
def test_the_runtime_role_cannot_open_a_door_for_itself(tenant, statement):
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner|must be able to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
