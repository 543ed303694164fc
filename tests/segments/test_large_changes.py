"""A change of over half of a segment that a scheduled campaign uses waits for a person."""

import pytest
from django.utils import timezone

from campaigns.choices import CampaignStatus
from segments.choices import RefreshStatus
from segments.services.authoring import delete_segment
from segments.services.refreshing import SegmentError, approve_refresh, run_refresh
from segments.services.usage import uses_of
from tests.campaigns.builders import make_campaign
from tests.factories import make_customer, make_segment
from tests.segments.test_refreshing import ACTOR, IN_DURBAN, members, refresh

IN_BALLITO = IN_DURBAN | {"value": "Ballito"}


@pytest.fixture
def segment(tenant):
    """Four people of Durban, whose rules ask for Ballito from now on, where there is one."""
    for _ in range(4):
        make_customer(city="Durban")
    made = make_segment(IN_DURBAN)
    refresh(made)
    make_customer(city="Ballito")
    made.criteria = [IN_BALLITO]
    made.save()
    return made


def schedule(segment, status=CampaignStatus.SCHEDULED):
    return make_campaign(segment=segment, status=status)


def test_it_waits_and_the_members_stay(segment):
    schedule(segment)
    before = members(segment)

    done = refresh(segment)

    assert done.status == RefreshStatus.HELD
    assert (done.entered_count, done.left_count) == (1, 4)
    assert "1 would join and 4 leave" in done.error
    assert members(segment) == before
    assert segment.member_count == 4


@pytest.mark.parametrize("status", [None, CampaignStatus.DRAFT, CampaignStatus.COMPLETED])
def test_without_a_scheduled_campaign_it_goes_through(segment, status):
    if status:
        schedule(segment, status)

    assert refresh(segment).status == RefreshStatus.SUCCESS
    assert segment.member_count == 1


def test_half_is_not_over_half_and_a_first_fill_is_no_change(tenant):
    for _ in range(2):
        make_customer(city="Durban")
    segment = make_segment(IN_DURBAN)
    schedule(segment)

    assert refresh(segment).status == RefreshStatus.SUCCESS
    make_customer(city="Durban")
    assert refresh(segment).status == RefreshStatus.SUCCESS
    assert segment.member_count == 3


def test_a_person_lets_it_through_once(segment):
    schedule(segment)
    refresh(segment)
    refresh(segment)  # The newest counts; one waits.
    assert segment.refreshes.held().count() == 1
    now = timezone.now()

    approved = approve_refresh(segment_id=segment.pk, actor=ACTOR, now=now)
    done = run_refresh(refresh_id=approved.pk, now=now)

    assert (done.status, done.approved_by) == (RefreshStatus.SUCCESS, ACTOR.id)
    segment.refresh_from_db()
    assert segment.member_count == 1
    with pytest.raises(SegmentError, match="No change"):
        approve_refresh(segment_id=segment.pk, actor=ACTOR, now=now)


def test_it_is_let_through_by_api_and_only_in_its_own_club(
    segment, other_tenant, key_for, client, tenant
):
    schedule(segment)
    refresh(segment)
    address = f"/api/v1/segments/{segment.pk}/approve/"

    assert client.post(address, **key_for(other_tenant, "segments:write")).status_code == 404
    assert client.post(address, **key_for(tenant, "segments:read")).status_code == 403
    assert client.post(address, **key_for(tenant, "segments:write")).status_code == 202
    again = client.post(address, **key_for(tenant, "segments:write"))
    assert (again.status_code, again.json()["code"]) == (409, "nothing_held")


def test_the_page_and_the_home_page_say_that_it_waits(segment, as_ann):
    schedule(segment)
    refresh(segment)

    page = as_ann.get(
        f"/oakhill/admin/segments/customersegment/{segment.pk}/change/"
    ).content.decode()
    home = as_ann.get("/oakhill/admin/").content.decode()

    assert "1 would join and 4 leave" in page
    assert "Let the change through" in page
    assert "1 segment would change by over half and waits for you" in home


def test_what_uses_a_segment_is_told_and_keeps_it(segment):
    campaign = schedule(segment)
    asks = {"field": "segment", "operator": "in", "value": [str(segment.pk)]}
    other = make_segment(asks, name="Asks")

    assert [(use.kind, use.pk) for use in uses_of(segment)] == [
        ("campaign", campaign.pk),
        ("segment", other.pk),
    ]
    with pytest.raises(SegmentError, match=r"campaign .*, segment “Asks”"):
        delete_segment(segment, now=timezone.now())
