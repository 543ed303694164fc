"""No tenant sees another, whichever way it asks."""

import pytest
from django.contrib.postgres.signals import get_hstore_oids
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from crm_site.devstack import embedded
from crm_site.tenancy.context import NoTenantError, tenant_scope
from crm_site.tenancy.policies import TENANT_TABLES
from crm_site.tenancy.roles import refuse_bypassing_role
from customers.models import CustomerProfile
from tests.factories import make_customer


@pytest.fixture
def stranger(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        return make_customer(email="stranger@example.com")


def test_managers_show_the_tenant_in_scope(tenant, stranger):
    mine = make_customer()

    assert list(CustomerProfile.objects.all()) == [mine]
    assert list(CustomerProfile.all_tenants.all()) == [mine]


def test_a_manager_without_a_tenant_raises(db):
    with pytest.raises(NoTenantError):
        CustomerProfile.objects.all()


def test_without_a_tenant_the_database_shows_nothing(tenant, stranger):
    make_customer()

    with tenant_scope(""):
        assert CustomerProfile.all_tenants.count() == 0


def test_raw_sql_cannot_reach_another_tenant(tenant, stranger):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customerprofile")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "UPDATE customers_customerprofile SET city = 'x' WHERE id = %s", [stranger.pk]
        )
        assert cursor.rowcount == 0


def test_a_row_cannot_be_written_into_another_tenant(tenant, other_tenant):
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        make_customer(tenant_id=other_tenant.pk)


def test_a_rolled_back_savepoint_does_not_leave_its_tenant_behind(tenant, stranger, other_tenant):
    mine = make_customer()

    with transaction.atomic():
        with tenant_scope(other_tenant.pk):
            assert CustomerProfile.objects.get() == stranger
        transaction.set_rollback(True)

    assert CustomerProfile.objects.get() == mine


@pytest.mark.django_db(transaction=True)
def test_the_first_connection_of_a_process_may_be_opened_in_scope():
    connection.close()
    get_hstore_oids.cache_clear()

    with tenant_scope("oakhill"), transaction.atomic():
        assert CustomerProfile.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_query_outside_a_transaction_is_refused_in_scope():
    with tenant_scope("oakhill"), pytest.raises(TransactionManagementError):
        CustomerProfile.objects.count()


def test_every_table_with_a_tenant_has_its_policy(db):
    with connection.cursor() as cursor:
        cursor.execute(TENANT_TABLES)
        tables = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
            "WHERE p.polname = 'tenant_isolation' AND p.polcmd = '*' "
            "AND p.polwithcheck IS NOT NULL AND c.relrowsecurity AND c.relforcerowsecurity"
        )
        protected = {row[0] for row in cursor.fetchall()}

    assert len(tables) > 20
    assert tables == protected


def test_tests_run_as_a_role_that_cannot_bypass(db):
    refuse_bypassing_role()

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (embedded.RUNTIME,)


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_owner_is_refused_as_runtime_role():
    with pytest.raises(ImproperlyConfigured, match="every club"):
        refuse_bypassing_role("owner")


def test_consent_has_one_writer(tenant):
    customer = make_customer()

    with pytest.raises(DatabaseError, match="Messaging"), transaction.atomic():
        CustomerProfile.objects.filter(pk=customer.pk).update(email_opt_in=True)
