"""Erasing a person: nothing of them is left anywhere, what was counted stays counted."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from campaigns.choices import CampaignInteractionType, DeliveryReason, DeliveryState
from campaigns.models import CampaignInteraction, Delivery
from campaigns.services.runs import prepare_run
from campaigns.services.statistics import rebuild_statistics
from crm_site.audit.actor import Actor
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.choices import CustomerStatus, SyncStatus
from customers.models import (
    Activity,
    CustomerNote,
    CustomerProfile,
    ErasedIdentity,
    IdentityAlias,
)
from customers.services.erased import ErasureError, erased_among, readmit
from customers.services.erasure import erase_profile
from customers.services.facts import FactError
from customers.services.profiles import (
    ProfileError,
    create_profile,
    delete_profile,
    restore_profile,
    update_profile,
    upsert_profiles,
)
from journeys.models import JourneyEnrollment
from tests.campaigns.builders import consent, make_started, send_all
from tests.customers.conftest import event
from tests.customers.living import EMAIL, MARK, PHONE, dump, live_through
from tests.factories import make_customer, make_note, make_sync_log


def test_counts_stay_and_what_was_not_sent_is_stopped(tenant, process, actor):
    ann = live_through(process)
    consent(ann, email_opt_in=True)
    sent = make_started(ann, make_customer())
    send_all()
    CampaignInteraction.objects.create(
        campaign=sent, customer=ann, channel="EMAIL", type=CampaignInteractionType.OPENED
    )
    rebuild_statistics(sent.pk)
    waiting = make_started(ann)
    prepare_run(waiting.runs.get().pk, timezone.now())
    before = {
        "counters": counters_of(sent),
        "activities": list(Activity.objects.order_by("pk").values_list("type", "occurred_at")),
    }

    erasure = erase_profile(customer_id=ann.pk, actor=actor)
    rebuild_statistics(sent.pk)

    assert counters_of(sent) == before["counters"]
    assert before["counters"]["sent_count"] == 1
    assert before["activities"] == list(
        Activity.objects.order_by("pk").values_list("type", "occurred_at")
    )
    [message] = Delivery.objects.filter(campaign=waiting)
    assert (message.state, message.reason) == (DeliveryState.SUPPRESSED, DeliveryReason.ERASED)
    assert JourneyEnrollment.objects.get().status == "EXITED"
    ann.refresh_from_db()
    assert (ann.status, ann.email_opt_in, ann.name) == (
        CustomerStatus.DELETED, False, "Unnamed customer",
    )  # fmt: skip
    assert ann.erased_at == ann.deleted_at == erasure.erased_at
    assert erasure.counts["CustomerNote"] == 2


def counters_of(campaign):
    campaign.refresh_from_db()
    return {
        name: getattr(campaign, name) for name in ("sent_count", "opened_count", "target_count")
    }


def test_one_entry_tells_of_it_and_the_log_keeps_who_did_what(tenant, actor):
    ann = create_profile(values={"email": EMAIL, "city": "Durban"}, actor=actor)
    update_profile(customer_id=ann.pk, values={"city": "Paarl"}, actor=actor)

    erasure = erase_profile(customer_id=ann.pk, actor=actor, reason="NOT_NEEDED")

    created, changed, erased = CrmAuditLog.objects.filter(entity_id=str(ann.pk)).order_by("pk")
    assert created.changes["email"] == {"old": None, "new": "erased"}
    assert (changed.action, changed.changes) == (
        "UPDATE",
        {"city": {"old": "erased", "new": "erased"}},
    )
    assert (erased.action, erased.performed_by) == ("ERASE", actor.id)
    assert erased.metadata == {"reason": "NOT_NEEDED", "erasureId": str(erasure.pk)}


def test_the_log_may_be_redacted_for_the_erased_only(tenant, other_tenant, actor):
    ann, ben = make_customer(city="Durban"), make_customer(city="Durban")
    with tenant_scope(other_tenant.pk):
        stranger = make_customer(city="Durban")
        erase_profile(customer_id=stranger.pk, actor=actor)
    erase_profile(customer_id=ann.pk, actor=actor)

    for people in ([ben.pk], [ann.pk, ben.pk], [stranger.pk]):
        with pytest.raises(DatabaseError, match="erased customers"), transaction.atomic():
            redact(people)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        CrmAuditLog.objects.update(changes=None)

    entry = CrmAuditLog.objects.get(entity_id=str(ben.pk))
    assert entry.changes["city"] == {"old": None, "new": "Durban"}


def redact(people):
    with connection.cursor() as cursor:
        cursor.execute("SELECT fairway_redact_audit(%s)", [people])


def test_what_was_merged_into_them_or_left_of_them_is_erased_too(tenant, actor):
    survivor = make_customer(first_name="Ann", email=EMAIL, phone_number=PHONE)
    absorbed = make_customer(first_name="Annie", email="annie@example.org")
    inner = make_customer(first_name="Anne", email="anne@example.org")
    make_note(inner, content=MARK)
    for row, into in ((inner, absorbed), (absorbed, survivor)):
        row.merged_into, row.merged_at, row.status = into, timezone.now(), CustomerStatus.MERGED
        row.save()
    left = make_customer(first_name="Ann", email=EMAIL, status="DELETED", deleted_at=timezone.now())
    relative = make_customer(
        first_name="Zoë", email=EMAIL, status="DELETED", deleted_at=timezone.now()
    )

    erasure = erase_profile(customer_id=survivor.pk, actor=actor)

    assert set(erasure.profile_ids) == {survivor.pk, absorbed.pk, inner.pk, left.pk}
    assert CustomerNote.objects.count() == 0
    relative.refresh_from_db()
    assert (relative.first_name, relative.erased_at) == ("Zoë", None)
    assert erased_among([("email", "anne@example.org")])


@pytest.mark.parametrize("state", ["nobody", "stranger", "merged", "erased"])
def test_who_cannot_be_erased_is_refused_and_nothing_changes(tenant, other_tenant, actor, state):
    customer = make_customer()
    if state == "nobody":
        customer.delete()
    if state == "stranger":
        with tenant_scope(other_tenant.pk):
            customer = make_customer()
    if state == "merged":
        customer.merged_into, customer.merged_at = make_customer(), timezone.now()
        customer.save()
    if state == "erased":
        erase_profile(customer_id=customer.pk, actor=actor)
    before = dump()

    with pytest.raises(ErasureError), transaction.atomic():
        erase_profile(customer_id=customer.pk, actor=actor)

    assert dump() == before


# Coming back


@pytest.fixture
def erased(tenant, other_tenant, actor):
    """Somebody of both clubs, erased at one of them."""
    values = {
        "auth_user_id": "auth-1", "email": EMAIL, "phone_number": PHONE, "scl_member_id": 1042,
        "first_name": "Ann",
    }  # fmt: skip
    with tenant_scope(other_tenant.pk):
        make_customer(**values)
    customer = make_customer(**values)
    IdentityAlias.objects.create(customer=customer, type="EXTERNAL_ID", value="teetimePlayerId:P-7")
    erase_profile(customer_id=customer.pk, actor=actor)
    return customer


@pytest.mark.parametrize(
    "said",
    [
        {"email": EMAIL.upper()},
        {"phoneNumber": "082 555 0199"},
        {"authUserId": "auth-1"},
        {"sclMemberId": 1042},
        {"teetimePlayerId": "P-7"},
        {"email": "new@example.org", "sclMemberId": 1042},
    ],
)
def test_an_event_about_them_is_set_aside_and_its_body_goes(erased, process, said):
    [row] = process(event("scl", "member.updated", customer={**said, "firstName": "Ann"}))

    assert (row.status, row.customer_id, row.next_attempt_at) == (SyncStatus.SKIPPED, None, None)
    assert "erased" in row.error
    assert row.event_payload is None
    assert CustomerProfile.objects.live().count() == 0


def test_an_event_nobody_can_read_or_understands_is_not_kept_either(erased, process):
    broken, unknown, other = process(
        event("scl", "member.updated", customer={"email": EMAIL, "phoneNumber": "none"}),
        event("scl", "nobody.knows", customer={"email": EMAIL}),
        event("scl", "nobody.knows", customer={"email": "ben@example.org"}),
    )

    assert (broken.status, broken.event_payload) == (SyncStatus.SKIPPED, None)
    assert (unknown.status, unknown.event_payload) == (SyncStatus.SKIPPED, None)
    assert other.event_payload is not None


def test_an_address_shared_with_somebody_here_does_not_keep_their_events_out(erased, process):
    make_customer(first_name="Zoë", email="zoe@example.org", teetime_player_id="P-1")

    [row] = process(
        event("teetime", "booking.created", customer={"teetimePlayerId": "P-1", "email": EMAIL})
    )

    zoe = CustomerProfile.objects.live().get()
    assert (row.status, row.customer_id) == (SyncStatus.SUCCESS, zoe.pk)
    assert zoe.email == "zoe@example.org"
    assert not IdentityAlias.objects.exists()


def test_the_other_club_takes_their_events_in_as_before(erased, other_tenant, process):
    with tenant_scope(other_tenant.pk):
        [row] = process(event("scl", "member.updated", customer={"email": EMAIL}))

    assert row.status == SyncStatus.SUCCESS


def test_other_doors_refuse_them_by_field(erased, actor):
    results = upsert_profiles(
        [{"email": EMAIL, "phoneNumber": PHONE}, {"email": "ben@example.org"}], actor=actor
    )
    ben = results[1].id

    assert [(fault.path, fault.code) for fault in results[0].errors] == [
        ("email", "erased"), ("phoneNumber", "erased"),
    ]  # fmt: skip
    assert [result.status for result in results] == ["rejected", "created"]
    for attempt in (
        lambda: create_profile(values={"email": EMAIL}, actor=actor),
        lambda: update_profile(customer_id=ben, values={"phone_number": PHONE}, actor=actor),
    ):
        with pytest.raises(FactError) as refused, transaction.atomic():
            attempt()
        assert refused.value.faults[0].code == "erased"


def test_staff_may_admit_them_again_as_somebody_new(erased, process, actor):
    count = readmit(identifiers={"email": EMAIL}, actor=actor)

    [row] = process(event("scl", "member.updated", customer={"sclMemberId": 1042, "email": EMAIL}))
    back = CustomerProfile.objects.live().get()
    assert count == 5
    assert (row.customer_id, back.email_opt_in) == (back.pk, False)
    assert back.pk != erased.pk
    assert CrmAuditLog.objects.filter(action="READMIT", performed_by=actor.id).count() == 1
    with pytest.raises(ErasureError), transaction.atomic():
        readmit(identifiers={"email": EMAIL}, actor=actor)


def test_an_older_key_still_knows_them(erased, settings):
    settings.ERASURE_KEYS = ["a newer key", *settings.ERASURE_KEYS]

    assert erased_among([("email", EMAIL), ("email", "ben@example.org")]) == {("email", EMAIL)}


def test_the_ledger_says_nothing_without_its_key(erased, other_tenant):
    hashes = set(ErasedIdentity.objects.values_list("hash", flat=True))
    with tenant_scope(other_tenant.pk):
        stranger = CustomerProfile.objects.get()
        erase_profile(customer_id=stranger.pk, actor=Actor("user:cleo"))
        theirs = set(ErasedIdentity.objects.values_list("hash", flat=True))

    assert len(hashes) == 5
    assert hashes & theirs == set()


# Deleting and restoring


def test_a_deleted_customer_comes_back_unless_somebody_has_their_address(tenant, actor):
    ann = make_customer(first_name="Ann", email=EMAIL)
    delete_profile(customer_id=ann.pk, actor=actor)
    other = create_profile(values={"email": EMAIL, "first_name": "Zoë"}, actor=actor)

    with pytest.raises(ProfileError, match="Zoë has this email") as refused, transaction.atomic():
        restore_profile(customer_id=ann.pk, actor=actor)
    delete_profile(customer_id=other.pk, actor=actor)
    back = restore_profile(customer_id=ann.pk, actor=actor)

    assert refused.value.path == "email"
    assert (back.email, back.is_live) == (EMAIL, True)


def test_who_was_erased_is_not_restored(erased, actor):
    with pytest.raises(ProfileError, match="erased") as refused, transaction.atomic():
        restore_profile(customer_id=erased.pk, actor=actor)

    assert refused.value.code == "erased"


def test_an_event_that_waited_is_set_aside_with_them(tenant, actor):
    ann = make_customer(email=EMAIL)
    waiting = make_sync_log(event_payload={"data": {"customer": {"email": EMAIL.upper()}}})
    other = make_sync_log(event_payload={"data": {"customer": {"email": "ben@example.org"}}})

    erase_profile(customer_id=ann.pk, actor=actor)

    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.status, waiting.event_payload) == (SyncStatus.SKIPPED, None)
    assert other.status == SyncStatus.PENDING
