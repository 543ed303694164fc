"""Merges at the same instant, on connections of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections, transaction

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile, ProfileMerge
from customers.services.merge_fields import MergeError
from customers.services.merging import merge_profiles
from tests.conftest import ACTOR
from tests.factories import make_customer


def at_once(tenant, pairs):
    """Merge (survivor, absorbed) pairs all at the same moment; returns "merged" or the codes."""
    together = Barrier(len(pairs))

    def merge(pair):
        survivor, absorbed = pair
        try:
            with tenant_scope(tenant.pk), transaction.atomic():
                together.wait(timeout=10)
                merge_profiles(survivor_id=survivor.pk, absorbed_id=absorbed.pk, actor=ACTOR)
            return "merged"
        except MergeError as error:
            return error.code
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(len(pairs)) as pool:
        return sorted(pool.map(merge, pairs))


@pytest.mark.django_db(transaction=True)
def test_opposite_merges_and_rings_leave_one_survivor(tenant):
    with transaction.atomic():
        first, second, *ring = (make_customer() for _ in range(5))

    assert at_once(tenant, [(first, second), (second, first)]) == ["already_merged", "merged"]

    one, two, three = ring
    outcomes = at_once(tenant, [(one, two), (two, three), (three, one)])
    assert outcomes.count("merged") == 2
    with transaction.atomic():
        assert CustomerProfile.objects.live().filter(pk__in=[each.pk for each in ring]).count() == 1
        assert ProfileMerge.objects.count() == 3
