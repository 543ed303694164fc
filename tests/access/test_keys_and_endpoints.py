"""Keys and endpoints let in exactly whom they belong to."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from crm_site.access import services
from crm_site.access.models import ApiKey, WebhookEndpoint
from crm_site.tenancy.context import tenant_scope


@pytest.fixture
def issued(tenant, actor):
    return services.issue_api_key(name="Till", scopes=["customers:read"], actor=actor)


def test_a_key_is_found_by_its_token_without_a_tenant_in_scope(issued):
    key, token = issued

    with tenant_scope(""):
        assert services.resolve_api_key(token) == key


def test_only_a_hash_of_the_secret_is_kept(issued):
    key, token = issued

    secret = token.split("_", 2)[2]
    assert secret not in str(ApiKey.objects.filter(pk=key.pk).values().get())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "x",
        lambda token: token.replace("fw_", "", 1),
        lambda token: "",
        lambda token: "fw__",
        lambda token: "fw_' OR 1=1_x",
    ],
)
def test_a_spoiled_token_is_nobody(issued, spoil):
    assert services.resolve_api_key(spoil(issued[1])) is None


def test_a_revoked_key_is_nobody(issued, actor):
    key, token = issued

    services.revoke_api_key(key_id=key.pk, actor=actor)

    assert services.resolve_api_key(token) is None


def test_an_expired_key_is_nobody(issued):
    key, token = issued
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert services.resolve_api_key(token) is None


def test_a_key_of_a_closed_tenant_is_nobody(issued, tenant):
    tenant.is_active = False
    tenant.save()

    assert services.resolve_api_key(issued[1]) is None


def test_a_presented_prefix_shows_that_key_and_no_other(issued, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        theirs, token = services.issue_api_key(name="x", scopes=["customers:read"], actor=actor)

    assert services.resolve_api_key(token) == theirs
    assert list(ApiKey.objects.all()) == [issued[0]]


def test_an_unknown_scope_is_refused_by_name(tenant, actor):
    with pytest.raises(services.AccessError, match="customers:burn") as caught:
        services.issue_api_key(name="x", scopes=["customers:burn"], actor=actor)

    assert caught.value.path == "scopes"


@pytest.fixture
def endpoint(tenant, actor):
    return services.create_webhook_endpoint(source="scl", actor=actor)


def signed(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode()),
    }


def test_a_fresh_signature_holds(endpoint):
    found, secret = endpoint

    headers = signed(secret, b'{"a": 1}', datetime.now(UTC))

    assert services.has_valid_signature(found, b'{"a": 1}', headers)


def test_a_signature_of_another_body_or_time_does_not_hold(endpoint):
    found, secret = endpoint
    now = datetime.now(UTC)

    assert not services.has_valid_signature(found, b"{}", signed(secret, b'{"a": 1}', now))
    old = signed(secret, b"{}", now - timedelta(minutes=6))
    assert not services.has_valid_signature(found, b"{}", old)
    early = signed(secret, b"{}", now + timedelta(minutes=6))
    assert not services.has_valid_signature(found, b"{}", early)


@pytest.mark.parametrize(
    "signature", ["", "v1", "v1,", "v1,###", "v2,AAAA", "v1,AAAA,BBBB", "v1,AAAA v1,BBBB"]
)
def test_a_malformed_signature_does_not_hold(endpoint, signature):
    found, secret = endpoint
    headers = signed(secret, b"{}", datetime.now(UTC)) | {"webhook-signature": signature}

    assert not services.has_valid_signature(found, b"{}", headers)


def test_one_good_signature_among_several_is_enough(endpoint):
    found, secret = endpoint
    headers = signed(secret, b"{}", datetime.now(UTC))
    wrong = "v1," + base64.b64encode(b"0" * 32).decode()

    headers["webhook-signature"] = f"{wrong} {headers['webhook-signature']}"

    assert services.has_valid_signature(found, b"{}", headers)


def test_while_a_secret_rotates_both_hold(endpoint, actor):
    found, old = endpoint

    new = services.rotate_webhook_secret(endpoint_id=found.pk, actor=actor)

    found.refresh_from_db()
    now = datetime.now(UTC)
    assert services.has_valid_signature(found, b"{}", signed(old, b"{}", now))
    assert services.has_valid_signature(found, b"{}", signed(new, b"{}", now))
    WebhookEndpoint.objects.update(previous_secret_until=timezone.now())
    found.refresh_from_db()
    assert not services.has_valid_signature(found, b"{}", signed(old, b"{}", now))


def test_an_endpoint_is_found_by_its_id_without_a_tenant_in_scope(endpoint):
    with tenant_scope(""):
        assert services.resolve_webhook_endpoint(endpoint[0].pk) == endpoint[0]
        assert services.resolve_webhook_endpoint(uuid4()) is None


def test_a_closed_endpoint_is_not_found(endpoint):
    WebhookEndpoint.objects.update(is_active=False)

    assert services.resolve_webhook_endpoint(endpoint[0].pk) is None


def test_last_use_is_kept_to_the_minute(issued, django_assert_num_queries):
    key, token = issued
    with transaction.atomic():
        services.note_key_used(key)
    key = services.resolve_api_key(token)

    with django_assert_num_queries(0):
        services.note_key_used(key)


@pytest.mark.parametrize("name", ["", "  ", "n" * 101])
def test_a_key_needs_a_name_that_fits(tenant, actor, name):
    with pytest.raises(services.AccessError, match="1 to 100 characters") as refused:
        services.issue_api_key(name=name, scopes=["customers:read"], actor=actor)

    assert refused.value.path == "name"
