"""The first part of the address, or a key, decides whose rows a request sees."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import get_script_prefix, set_script_prefix

from crm_site.access.middleware import TenantMiddleware
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import current_settings, current_tenant_id
from customers.models import CustomerProfile
from tests.factories import make_customer


@pytest.fixture
def answer(tenant):
    """Ask the middleware directly: ``answer(path, user)``; the view tells what it saw."""
    seen = {}

    def view(request):
        seen.update(
            tenant=current_tenant_id(),
            path=request.path_info,
            prefix=get_script_prefix(),
            actor=current_settings().get("fairway.actor"),
        )
        if current_tenant_id():
            make_customer(email="made@example.com")
        return HttpResponse(status=seen.get("status", 200))

    def ask(path, user=None, status=200, **headers):
        from django.contrib.auth.models import AnonymousUser

        seen.clear()
        seen["status"] = status
        request = RequestFactory().get(path, **headers)
        request.user = user or AnonymousUser()
        try:
            return TenantMiddleware(view)(request), seen
        finally:
            set_script_prefix("/")

    return ask


def test_a_member_enters_by_the_address(answer, ann):
    _, seen = answer("/oakhill/admin/customers/", ann)

    assert (seen["tenant"], seen["path"]) == ("oakhill", "/admin/customers/")
    assert seen["prefix"] == "/oakhill/"
    assert seen["actor"] == f"user:{ann.pk}"


def test_another_clubs_member_does_not(answer, cleo):
    _, seen = answer("/oakhill/admin/", cleo)

    assert seen["tenant"] in (None, "oakhill")
    assert seen["path"] == "/oakhill/admin/"
    assert seen["actor"] != f"user:{cleo.pk}"


def test_nobody_is_sent_to_sign_in_and_back(answer):
    response, seen = answer("/oakhill/admin/customers/?q=ann")

    assert response.status_code == 302
    assert response.url == "/admin/login/?next=/oakhill/admin/customers/%3Fq%3Dann"
    assert "tenant" not in seen


def test_a_key_enters_its_tenant(answer, key_for, tenant):
    _, seen = answer("/api/v1/customers/", **key_for(tenant, "customers:read"))

    assert seen["tenant"] == "oakhill"
    assert seen["actor"].startswith("key:")


def test_a_key_does_not_open_the_admin(answer, key_for, tenant):
    response, seen = answer("/oakhill/admin/", **key_for(tenant, "customers:read"))

    assert response.status_code == 302
    assert "tenant" not in seen


def test_an_error_takes_back_what_was_written(answer, ann):
    answer("/oakhill/admin/", ann, status=200)
    assert CustomerProfile.objects.filter(email="made@example.com").exists()
    CustomerProfile.objects.all().delete()

    answer("/oakhill/admin/", ann, status=500)

    assert not CustomerProfile.objects.filter(email="made@example.com").exists()


def test_the_whole_stack_tells_the_audit_log_who_and_where_from(client, ann, tenant):
    client.force_login(ann)

    response = client.get(
        "/oakhill/admin/", REMOTE_ADDR="196.25.1.1", headers={"user-agent": "Safari"}
    )

    assert response.status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fairway.tenant_id', true)")
        assert cursor.fetchone() == ("oakhill",)  # The test's own scope again.
    assert not CrmAuditLog.objects.filter(performed_by=f"user:{ann.pk}").exists()


def test_unknown_addresses_are_404_for_those_signed_in(client, ann, cleo):
    client.force_login(cleo)

    assert client.get("/oakhill/admin/").status_code == 404
    assert client.get("/nowhere/admin/").status_code == 404
