"""Tokens to post with are kept as secrets."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from social.models import SocialConnection


def connect(**values) -> SocialConnection:
    defaults = {
        "platform": "FACEBOOK",
        "account_id": "1001",
        "account_name": "Oakhill Golf Club",
        "access_token": "page-token",
        "connected_by": "user:test",
    }
    return SocialConnection.objects.create(**(defaults | values))


def test_a_token_is_read_back_and_stored_unreadable(tenant):
    made = connect()

    assert SocialConnection.objects.get(pk=made.pk).access_token == "page-token"
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM social_socialconnection")
        token, refresh = cursor.fetchone()
    assert "page-token" not in token
    assert refresh is None


def test_a_token_written_with_an_older_key_is_still_read(tenant, settings):
    made = connect()

    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]

    made.refresh_from_db()
    assert made.access_token == "page-token"


def test_a_token_whose_key_is_gone_says_so(tenant, settings):
    made = connect()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ImproperlyConfigured, match=r"SocialConnection\.access_token"):
        made.refresh_from_db()


def test_a_token_is_not_in_the_audit_log(tenant, actor):
    connect(), SocialConnection.objects.update(access_token="other-token")

    told = str(list(CrmAuditLog.objects.values_list("changes", flat=True)))

    assert "Oakhill Golf Club" in told
    assert "oken" not in told.replace("tokenExpiry", "")


def test_an_account_is_connected_once_in_each_tenant(tenant, other_tenant):
    connect()
    with tenant_scope(other_tenant.pk):
        connect()

    with pytest.raises(IntegrityError), transaction.atomic():
        connect()
