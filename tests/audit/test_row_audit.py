"""Every change of a major row leaves an entry, whoever makes it and however."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from crm_site.access import services as access
from crm_site.audit.actor import Actor, acting_as
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import local_settings, tenant_scope
from customers.models import CustomerProfile
from customers.services.profiles import upsert_profiles
from tests.factories import make_customer

MAJOR = {
    "access.ApiKey", "access.TenantMembership", "access.WebhookEndpoint",
    "campaigns.Campaign", "campaigns.CampaignSegment", "campaigns.CampaignVariant",
    "campaigns.EventPromotion", "campaigns.FrequencyCap", "campaigns.SeedRecipient",
    "customers.CustomerNote", "customers.CustomerProfile", "customers.DuplicateCandidate",
    "customers.IdentityAlias", "customers.ProfileMerge", "journeys.Journey",
    "journeys.JourneyStep",
    "journeys.JourneyVersion", "segments.CustomerSegment", "social.SocialConnection",
    "social.SocialPost", "tenancy.Club", "tenancy.Tenant",
}  # fmt: skip


def entries(entity, action=None):
    found = CrmAuditLog.objects.filter(entity_id=str(entity.pk))
    return list((found.filter(action=action) if action else found).order_by("performed_at"))


def test_a_create_tells_who_and_what(tenant, actor):
    customer = make_customer(city="Durban")

    entry = entries(customer)[0]

    assert (entry.entity_type, entry.action) == ("CustomerProfile", "CREATE")
    assert entry.performed_by == actor.id
    assert entry.changes["city"] == {"old": None, "new": "Durban"}
    assert "lastName" in entry.changes
    assert "id" not in entry.changes


def test_a_bulk_update_leaves_an_entry_for_each_row(tenant, actor):
    first, second = make_customer(city="Durban"), make_customer(city="Paarl")

    with acting_as(Actor.system("nightly")):
        CustomerProfile.objects.update(city="Paarl")

    assert [e.changes for e in entries(first, "UPDATE")] == [
        {"city": {"old": "Durban", "new": "Paarl"}}
    ]
    assert entries(first, "UPDATE")[0].performed_by == "system:nightly"
    assert entries(second, "UPDATE") == []


def test_raw_sql_is_seen_too(tenant):
    customer = make_customer()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customerprofile SET gender = 'F'")

    assert entries(customer, "UPDATE")[0].changes == {"gender": {"old": None, "new": "F"}}
    assert entries(customer, "UPDATE")[0].performed_by == "system:database"


def test_computed_counters_leave_none(tenant, actor):
    customer = make_customer()

    CustomerProfile.objects.update(activity_count_30d=7, engagement_score=50)

    assert entries(customer, "UPDATE") == []


def test_hiding_and_bringing_back_read_as_delete_and_restore(tenant, actor):
    customer = make_customer()

    CustomerProfile.objects.update(deleted_at="2026-01-01T00:00:00Z", status="DELETED")
    CustomerProfile.objects.update(deleted_at=None, status="ACTIVE")

    assert [e.action for e in entries(customer)] == ["CREATE", "DELETE", "RESTORE"]


def test_address_and_user_agent_travel_along(tenant, actor):
    with local_settings(ip_address="196.25.1.1", user_agent="Safari"):
        customer = make_customer()

    entry = entries(customer)[0]
    assert (entry.ip_address, entry.user_agent) == ("196.25.1.1", "Safari")


def test_secrets_are_left_out(tenant, actor):
    key, _ = access.issue_api_key(name="Till", scopes=["customers:read"], actor=actor)
    endpoint, _ = access.create_webhook_endpoint(source="scl", actor=actor)

    told = str([e.changes for e in [*entries(key), *entries(endpoint)]])

    assert "Till" in told
    assert "secret" not in told.lower()
    assert key.secret_hash not in told


def test_a_bulk_load_leaves_no_entry_for_each_row(tenant, actor):
    with local_settings(audit="off"):
        upsert_profiles([{"firstName": "Ann", "lastName": "Lee"}], actor=actor)

    assert not CrmAuditLog.objects.filter(entity_type="CustomerProfile").exists()


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_nobody_can_rewrite_the_log(tenant, actor, statement):
    make_customer()

    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("audit_crmauditlog"))


def test_the_log_of_one_tenant_is_not_the_others(tenant, other_tenant, actor):
    make_customer()
    with tenant_scope(other_tenant.pk):
        assert not CrmAuditLog.objects.filter(entity_type="CustomerProfile").exists()


def test_every_major_table_has_its_triggers(db):
    triggered = {
        model._meta.label
        for model in apps.get_models()
        if any(t.name == "audit_change" for t in getattr(model._meta, "triggers", []))
    }

    assert triggered == MAJOR
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT tgrelid) FROM pg_trigger "
            "WHERE tgname LIKE 'pgtrigger_audit_change_%'"
        )
        assert cursor.fetchone() == (len(MAJOR),)
