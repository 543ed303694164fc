"""Whom a campaign is for: several segments, and those who are left out of them."""

import pytest
from django.utils import timezone

from campaigns.models import Campaign, CampaignSegment
from campaigns.services import lifecycle
from campaigns.services.audience import count_reach
from campaigns.services.crowd import Crowd, CrowdError, set_segments
from campaigns.services.preflight import preflight
from campaigns.state import CampaignStateError
from crm_site.tenancy.context import tenant_scope
from segments.services.usage import uses_of
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    make_segment,
    make_started,
    send_all,
)

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")


@pytest.fixture
def people(tenant):
    return {name: make_recipient(first_name=name) for name in ("ladies", "both", "juniors", "left")}


@pytest.fixture
def campaign(people):
    ladies = make_segment(people["ladies"], people["both"], people["left"])
    made = make_campaign(segment=ladies)
    juniors = make_segment(people["both"], people["juniors"])
    committee = make_segment(people["left"])
    values = {"include_segments": [juniors], "exclude_segments": [committee]}
    return lifecycle.change_campaign(campaign_id=made.pk, values=values)


def test_everybody_of_its_segments_hears_once_but_nobody_who_is_left_out(
    campaign, people, other_tenant
):
    with tenant_scope(other_tenant.pk):
        make_started(make_recipient())

    reach = count_reach(crowd=Crowd.of(campaign), channels=["EMAIL"], now=timezone.now())
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()

    heard = set(campaign.deliveries.values_list("customer__first_name", "state"))
    assert (reach.in_segment, reach.people) == (3, 3)
    assert heard == {(name, "ACCEPTED") for name in ("ladies", "both", "juniors")}


def test_a_segment_is_not_both_asked_for_and_left_out(campaign):
    values = {"exclude_segments": [campaign.segment]}

    with pytest.raises(CrowdError) as refused:
        lifecycle.change_campaign(campaign_id=campaign.pk, values=values)

    assert refused.value.path == "exclude_segments"


def test_a_clone_has_the_same_segments(campaign):
    clone = lifecycle.clone_campaign(campaign_id=campaign.pk, actor=ACTOR)

    assert Crowd.of(clone) == Crowd.of(campaign)


def test_a_running_campaign_keeps_its_segments(campaign):
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)

    with pytest.raises(CampaignStateError):
        lifecycle.change_campaign(campaign_id=campaign.pk, values={"include_segments": []})


def test_a_further_segment_is_in_use_and_looked_over_as_the_first(campaign):
    juniors = CampaignSegment.objects.get(campaign=campaign, role="INCLUDE").segment
    juniors.is_active = False
    juniors.save()

    found = preflight(campaign, now=timezone.now())

    assert [use.pk for use in uses_of(juniors)] == [campaign.pk]
    assert [(each.code, each.path) for each in found.findings if each.level == "red"] == [
        ("segment_unused", "include_segments")
    ]


def test_a_segment_that_changes_sides_is_on_one_only(campaign):
    juniors = CampaignSegment.objects.get(campaign=campaign, role="INCLUDE").segment

    set_segments(campaign, role="EXCLUDE", segments=[juniors])

    assert list(campaign.segment_links.values_list("segment", "role")) == [(juniors.pk, "EXCLUDE")]


def test_over_http_segments_are_ids_of_ones_own_club(client, key_for, tenant, other_tenant):
    headers = key_for(tenant, "campaigns:read", "campaigns:write")
    first, also, without = make_segment(), make_segment(), make_segment()
    with tenant_scope(other_tenant.pk):
        foreign = make_segment()

    def send(**values):
        body = {"name": "News", "segmentId": str(first.pk), **values}
        kind = "application/json"
        return client.post("/api/v1/campaigns/", body, content_type=kind, **headers)

    made = send(includeSegmentIds=[str(also.pk)], excludeSegmentIds=[str(without.pk)])
    refused = [
        send(includeSegmentIds=[str(foreign.pk)]),
        send(excludeSegmentIds=[str(first.pk)]),
        send(excludeSegmentIds="all"),
    ]

    assert made.status_code == 201, made.json()
    assert made.json()["includeSegmentIds"] == [str(also.pk)]
    assert made.json()["excludeSegmentIds"] == [str(without.pk)]
    assert [answer.status_code for answer in refused] == [400] * 3
    assert Campaign.objects.count() == 1
