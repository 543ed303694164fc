"""Which events prove that a further address or id is the customer's own."""

from datetime import UTC, datetime

import pytest

from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.models import IdentityAlias
from tests.customers.conftest import event
from tests.factories import make_customer

FIRST, LATER = "2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z"
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)


def make_alias(customer, kind, value):
    return IdentityAlias.objects.create(customer=customer, type=kind, value=value, source="scl")


def verified_at(alias):
    alias.refresh_from_db()
    return alias.verified_at


@pytest.fixture
def lee(tenant):
    return make_customer(
        email="ann@example.com", messaging_contact_id="contact-1", scl_member_id=1042
    )


ANN = {"messagingContactId": "contact-1"}


@pytest.mark.parametrize(
    ("kind", "channel", "said", "is_proof"),
    [
        ("message.opened", "EMAIL", {"email": "a.lee@example.com"}, True),
        ("message.clicked", "EMAIL", {"email": " A.Lee@Example.com"}, True),
        ("message.replied", "EMAIL", {"email": "a.lee@example.com"}, True),
        ("message.delivered", "EMAIL", {"email": "a.lee@example.com"}, False),
        ("message.opened", "EMAIL", {}, False),
        ("message.clicked", "SMS", {"email": "a.lee@example.com"}, False),
        ("message.opened", "PUSH", {"email": "a.lee@example.com"}, False),
    ],
)
def test_an_answer_proves_the_address_it_came_from(process, lee, kind, channel, said, is_proof):
    alias = make_alias(lee, "EMAIL", "a.lee@example.com")

    [row] = process(event("messaging", kind, FIRST, channel=channel, customer=ANN | said))

    assert row.status == "SUCCESS"
    assert verified_at(alias) == (AT if is_proof else None)


def test_an_answer_by_text_message_proves_the_number(process, lee):
    alias = make_alias(lee, "PHONE", "+27825550101")

    said = ANN | {"phoneNumber": "082 555 0101"}
    process(event("messaging", "message.replied", FIRST, channel="SMS", customer=said))

    assert verified_at(alias) == AT


def test_an_address_first_heard_of_when_it_answers_is_proven_at_once(process, lee):
    said = ANN | {"email": "new@example.com"}

    process(event("messaging", "message.opened", FIRST, channel="EMAIL", customer=said))

    assert IdentityAlias.objects.get(value="new@example.com").verified_at == AT


def test_the_first_proof_stays_and_is_audited_once(process, lee):
    alias = make_alias(lee, "EMAIL", "a.lee@example.com")
    said = {"channel": "EMAIL", "customer": ANN | {"email": "a.lee@example.com"}}

    process(
        event("messaging", "message.clicked", LATER, **said),
        event("messaging", "message.opened", FIRST, **said),
    )
    process(event("messaging", "message.opened", LATER, **said))

    assert verified_at(alias) == AT
    audited = CrmAuditLog.objects.filter(entity_id=str(alias.pk), action="UPDATE")
    assert [set(entry.changes) for entry in audited] == [{"verifiedAt"}]


@pytest.mark.parametrize(
    ("source", "kind", "said", "alias", "is_proof"),
    [
        ("scl", "member.updated", {"sclMemberId": 77}, "sclMemberId:77", True),
        ("teetime", "player.updated", {"teetimePlayerId": "p-7"}, "teetimePlayerId:p-7", True),
        ("messaging", "contact.linked", {"messagingContactId": "c-7"}, "messagingContactId:c-7",
         True),
        ("teetime", "player.updated", {"sclMemberId": 77}, "sclMemberId:77", False),
    ],
)  # fmt: skip
def test_only_the_service_that_gave_an_id_proves_it(
    process, lee, source, kind, said, alias, is_proof
):
    held = make_alias(lee, "EXTERNAL_ID", alias)

    [row] = process(event(source, kind, FIRST, customer=said))

    assert (row.status, row.customer_id) == ("SUCCESS", lee.pk)
    assert verified_at(held) == (AT if is_proof else None)


def test_nobody_elses_address_is_proven(process, lee, other_tenant):
    ben = make_customer(first_name="Ben")
    shared = make_alias(ben, "EMAIL", "family@example.com")
    with tenant_scope(other_tenant.pk):
        strange = make_alias(make_customer(), "EMAIL", "family@example.com")

    said = ANN | {"email": "family@example.com"}
    process(event("messaging", "message.opened", FIRST, channel="EMAIL", customer=said))

    assert verified_at(shared) is None
    with tenant_scope(other_tenant.pk):
        assert verified_at(strange) is None
