"""Who was in a segment, how many, and who is in two."""

from datetime import timedelta

import pytest
from django.utils import timezone

from segments.services.history import members_at, overlap, sizes
from segments.services.membership import change_members
from segments.services.refreshing import SegmentError
from tests.factories import make_customer, make_segment

DAY = timedelta(days=1)


def by_hand(**values):
    made = make_segment(type="STATIC", criteria=None, **values)
    type(made).objects.filter(pk=made.pk).update(created_at=timezone.now() - 10 * DAY)
    made.refresh_from_db()
    return made


def test_members_at_a_past_moment(tenant, actor):
    now, segment = timezone.now(), by_hand()
    ann, ben, cleo = (make_customer() for _ in range(3))
    change_members(segment=segment, add=[ann.pk, ben.pk], actor=actor, now=now - 5 * DAY)
    change_members(segment=segment, remove=[ann.pk], actor=actor, now=now - 3 * DAY)
    change_members(segment=segment, add=[ann.pk, cleo.pk], actor=actor, now=now - DAY)

    def at(moment):
        return set(members_at(segment, moment, now=now))

    assert at(now) == {ann, ben, cleo}
    assert at(now - 2 * DAY) == {ben}
    assert at(now - 4 * DAY) == {ann, ben}
    assert at(now - 6 * DAY) == set()


def test_what_is_to_come_or_forgotten_is_refused(tenant):
    now, segment = timezone.now(), by_hand()

    with pytest.raises(SegmentError, match="still to come"):
        members_at(segment, now + DAY, now=now)
    with pytest.raises(SegmentError, match="400 days"):
        members_at(segment, now - 401 * DAY, now=now)


def test_sizes_day_by_day(tenant, actor):
    now, segment = timezone.now(), by_hand()
    people = [make_customer().pk for _ in range(3)]
    change_members(segment=segment, add=people, actor=actor, now=now - 3 * DAY)
    change_members(segment=segment, remove=people[:2], actor=actor, now=now - DAY)

    found = sizes(segment, days=5, now=now)

    assert [size.member_count for size in found] == [0, 3, 3, 1, 1]
    assert len(sizes(segment, days=90, now=now)) == 11  # From the day it was made.


def test_overlap_of_two(tenant, actor):
    first, second = by_hand(), by_hand()
    ann, ben, cleo = (make_customer().pk for _ in range(3))
    change_members(segment=first, add=[ann, ben], actor=actor, now=timezone.now())
    change_members(segment=second, add=[ben, cleo], actor=actor, now=timezone.now())

    found = overlap(first, second)

    assert (found.first_only_count, found.second_only_count, found.both_count) == (1, 1, 1)
    assert found.share_of_smaller == 0.5
    assert overlap(first, by_hand()).share_of_smaller is None


def test_all_of_it_by_api(tenant, other_tenant, actor, key_for, client):
    segment, other, ann = by_hand(), by_hand(), make_customer()
    change_members(segment=segment, add=[ann.pk], actor=actor, now=timezone.now())
    key, base = key_for(tenant, "segments:read"), f"/api/v1/segments/{segment.pk}"

    past = client.get(f"{base}/members-at/", {"at": timezone.now().isoformat()}, **key)
    daily = client.get(f"{base}/sizes/?days=3", **key)
    both = client.get(f"{base}/overlap/?with={other.pk}", **key)
    uses = client.get(f"{base}/uses/", **key)

    assert [row["customer"] for row in past.json()["results"]] == [str(ann.pk)]
    assert [row["memberCount"] for row in daily.json()] == [0, 0, 1]
    assert both.json() == {"onlyThis": 1, "onlyOther": 0, "both": 0, "shareOfSmaller": None}
    assert uses.json() == []
    for bad in ("members-at/?at=yesterday", "sizes/?days=0", "overlap/?with=x"):
        assert client.get(f"{base}/{bad}", **key).status_code == 400
    theirs = key_for(other_tenant, "segments:read")
    assert client.get(f"{base}/sizes/", **theirs).status_code == 404
