"""A restored backup does not bring back who was erased since."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile, ErasedIdentity, Erasure
from customers.services.erased import erased_among, readmit
from customers.services.erasure import erase_profile
from customers.services.erasure_copy import copy_new, copy_path
from tests.factories import make_customer


@pytest.fixture(autouse=True)
def copies(settings, tmp_path):
    settings.ERASURE_COPY_DIR = tmp_path / "erasures"


def restore_backup(*customers):
    """The tables as they were before the erasure."""
    Erasure.objects.all().delete()
    for values in customers:
        CustomerProfile.objects.filter(pk=values.pop("id")).update(**values, erased_at=None)


def reapply(tenant, **options):
    out, err = StringIO(), StringIO()
    with tenant_scope(""):
        call_command("reapply_erasures", tenant.pk, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_who_was_erased_since_the_backup_is_erased_again(tenant, other_tenant, actor):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer(email="ann@example.org")
    ann = make_customer(email="ann@example.org", first_name="Ann")
    before = {"id": ann.pk, "email": "ann@example.org", "first_name": "Ann", "deleted_at": None}
    erase_profile(customer_id=ann.pk, actor=actor)
    assert copy_new(now=timezone.now()) == 1
    assert copy_new(now=timezone.now()) == 0
    restore_backup(before)

    dry, _ = reapply(tenant, dry_run=True)
    assert CustomerProfile.objects.get(pk=ann.pk).email == "ann@example.org"
    told, _ = reapply(tenant)

    ann.refresh_from_db()
    assert (ann.email, ann.first_name) == (None, None)
    assert ann.erased_at is not None
    assert "1 added, 1 customers erased again (dry run" in dry
    assert "1 added, 1 customers erased again" in told
    assert "1 erasures known, 0 added, 0 customers erased again" in reapply(tenant)[0]
    assert erased_among([("email", "ann@example.org")])
    with tenant_scope(other_tenant.pk):
        stranger.refresh_from_db()
    assert stranger.email == "ann@example.org"


def test_who_was_admitted_again_stays(tenant, actor):
    ann = make_customer(email="ann@example.org")
    erase_profile(customer_id=ann.pk, actor=actor)
    copy_new(now=timezone.now())
    readmit(identifiers={"email": "ann@example.org"}, actor=actor)
    copy_new(now=timezone.now())
    back = make_customer(email="ann@example.org")
    restore_backup()

    _, problems = reapply(tenant)

    back.refresh_from_db()
    assert back.email == "ann@example.org"
    assert problems == ""
    assert ErasedIdentity.objects.get().readmitted_by == actor.id


def test_live_customers_with_an_erased_address_are_named_and_left_alone(tenant, actor):
    ann = make_customer(email="ann@example.org")
    erase_profile(customer_id=ann.pk, actor=actor)
    copy_new(now=timezone.now())
    other = make_customer(email="ann@example.org")

    _, problems = reapply(tenant)

    assert f"Customer {other.pk} has an identifier" in problems


def test_a_lost_key_is_told_of(tenant, actor, settings):
    erase_profile(customer_id=make_customer().pk, actor=actor)
    copy_new(now=timezone.now())
    settings.ERASURE_KEYS = ["another"]

    assert "is missing from ERASURE_KEYS" in reapply(tenant)[1]


def test_a_copy_that_cannot_be_read_stops_the_command(tenant, actor):
    erase_profile(customer_id=make_customer(email="ann@example.org").pk, actor=actor)
    copy_new(now=timezone.now())
    text = copy_path().read_text()
    assert "ann@" not in text
    assert json.loads(text)["identities"][0]["kind"] == "email"
    copy_path().write_text(text + "{half a li")

    with pytest.raises(CommandError, match="line 2"):
        reapply(tenant)
