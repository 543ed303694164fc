"""Messaging's copy of a segment follows by difference."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from crm_site.messaging.gateway import MessagingRefused, MessagingUncertain
from customers.signals import profile_erased
from segments.models import MessagingMember
from segments.services import publishing
from segments.services.authoring import save_segment
from segments.services.membership import change_members
from segments.services.publishing import due_for_messaging, sync_with_messaging
from tests.factories import make_customer, make_segment


@pytest.fixture
def segment(tenant):
    return make_segment(type="STATIC", criteria=None, messaging_segment_id="seg-7")


@pytest.fixture
def calls(messaging, monkeypatch):
    """How many each call told, and a switch that breaks the next ones."""
    done, real = [], messaging.sync_segment

    def counted(tenant_id, remote_id, *, name, add=(), remove=()):
        if counted.error:
            raise counted.error
        done.append((len(list(add)), len(list(remove))))
        real(tenant_id, remote_id, name=name, add=add, remove=remove)

    counted.error = None
    monkeypatch.setattr(messaging, "sync_segment", counted)
    return SimpleNamespace(made=done, gateway=counted)


def put(segment, actor, *, add=(), remove=()):
    change_members(segment=segment, add=add, remove=remove, actor=actor, now=timezone.now())


def sync(segment):
    told = sync_with_messaging(segment_id=segment.pk, now=timezone.now())
    segment.refresh_from_db()
    return told


def test_members_are_told_once_and_then_only_what_differs(tenant, segment, actor, messaging, calls):
    people = [make_customer().pk for _ in range(3)]
    put(segment, actor, add=people)

    assert sync(segment) == 3
    assert messaging.segments[tenant.pk, "seg-7"] == {str(pk) for pk in people}
    assert segment.last_synced_at is not None
    assert sync(segment) == 0
    ben = make_customer().pk
    put(segment, actor, add=[ben], remove=people[:1])
    assert sync(segment) == 2
    assert messaging.segments[tenant.pk, "seg-7"] == {str(pk) for pk in [*people[1:], ben]}
    assert calls.made == [(3, 0), (0, 1), (1, 0)]


def test_what_moves_is_due_and_what_stands_is_not(tenant, other_tenant, segment, actor):
    make_segment(type="STATIC", criteria=None)
    assert due_for_messaging(timezone.now()) == [segment.pk]
    sync(segment)
    assert due_for_messaging(timezone.now()) == []

    put(segment, actor, add=[make_customer().pk])

    assert due_for_messaging(timezone.now()) == [segment.pk]
    assert due_for_messaging(timezone.now() + publishing.COMPARE_AFTER * 2) == [segment.pk]


def test_a_sync_that_breaks_off_goes_on_where_it_was(
    tenant, segment, actor, messaging, calls, monkeypatch
):
    monkeypatch.setattr(publishing, "PART", 2)
    people = [make_customer().pk for _ in range(5)]
    put(segment, actor, add=people)
    confirm = publishing._confirm

    def break_after_two(*args, **kwargs):
        confirm(*args, **kwargs)
        if len(calls.made) == 2:
            calls.gateway.error = MessagingUncertain("reset")

    monkeypatch.setattr(publishing, "_confirm", break_after_two)
    sync(segment)
    assert (segment.last_synced_at, segment.sync_error) == (None, "reset")
    assert due_for_messaging(timezone.now()) == [segment.pk]

    calls.gateway.error = None
    assert sync(segment) == 1
    assert calls.made == [(2, 0), (2, 0), (1, 0)]
    assert segment.sync_error is None


def test_what_is_refused_says_why_and_waits(tenant, segment, actor, calls):
    sync(segment)
    put(segment, actor, add=[make_customer().pk])
    calls.gateway.error = MessagingRefused("No such segment.", status_code=404)

    sync(segment)

    assert segment.sync_error == "No such segment."
    assert due_for_messaging(timezone.now()) == []


def test_another_id_is_told_everybody_anew(tenant, segment, actor, messaging):
    ann = make_customer().pk
    put(segment, actor, add=[ann])
    sync(segment)

    segment.messaging_segment_id = "seg-8"
    save_segment(segment, actor=actor, now=timezone.now())

    assert segment.last_synced_at is None
    assert due_for_messaging(timezone.now()) == [segment.pk]
    assert sync(segment) == 2
    assert messaging.segments[tenant.pk, "seg-8"] == {str(ann)}
    assert messaging.segments[tenant.pk, "seg-7"] == set()
    assert due_for_messaging(timezone.now()) == []


def test_a_copy_that_is_no_longer_wanted_is_emptied(tenant, segment, actor, messaging):
    put(segment, actor, add=[make_customer().pk, make_customer().pk])
    sync(segment)

    segment.messaging_segment_id = None
    save_segment(segment, actor=actor, now=timezone.now())

    assert due_for_messaging(timezone.now()) == [segment.pk]
    assert sync(segment) == 2
    assert messaging.segments[tenant.pk, "seg-7"] == set()
    assert not MessagingMember.objects.exists()
    assert due_for_messaging(timezone.now()) == []


def test_who_another_segment_keeps_in_a_copy_stays_in_it(tenant, segment, actor, messaging):
    both, only = make_customer().pk, make_customer().pk
    put(segment, actor, add=[both, only])
    sync(segment)
    heir = make_segment(name="Heir", type="STATIC", criteria=None, messaging_segment_id="seg-7")
    put(heir, actor, add=[both])
    sync(heir)

    segment.messaging_segment_id = "seg-8"
    save_segment(segment, actor=actor, now=timezone.now())
    sync(segment)

    assert messaging.segments[tenant.pk, "seg-7"] == {str(both)}


def test_a_former_copy_that_is_gone_holds_nothing_up(tenant, segment, actor, calls):
    put(segment, actor, add=[make_customer().pk])
    sync(segment)
    segment.messaging_segment_id = None
    save_segment(segment, actor=actor, now=timezone.now())
    calls.gateway.error = MessagingRefused("No such segment.", status_code=404)

    sync(segment)

    assert not MessagingMember.objects.exists()
    assert due_for_messaging(timezone.now()) == []


def test_an_erased_member_leaves_messagings_copy(tenant, segment, actor, messaging):
    ann, ben = make_customer(), make_customer()
    put(segment, actor, add=[ann.pk, ben.pk])
    sync(segment)

    profile_erased.send(sender=type(ann), profile=ann)

    assert due_for_messaging(timezone.now()) == [segment.pk]
    assert sync(segment) == 1
    assert messaging.segments[tenant.pk, "seg-7"] == {str(ben.pk)}
