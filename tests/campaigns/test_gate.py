"""The review says what will happen, and the count it shows is the count that is sent."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import SendingHold
from campaigns.services import lifecycle
from campaigns.services.audience import count_reach
from campaigns.services.crowd import Crowd
from campaigns.services.preflight import preflight
from crm_site.messaging import memory
from crm_site.messaging.channels import Channel
from crm_site.messaging.gateway import Template
from crm_site.tenancy.context import tenant_scope
from segments.models import SegmentRefresh
from tests.campaigns.builders import (
    ACTOR,
    make_campaign,
    make_recipient,
    make_segment,
    make_started,
    send_all,
)

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")


def codes(campaign, level="amber", **values):
    found = preflight(campaign, now=timezone.now(), is_starting=True, **values)
    return {each.code for each in found.findings if each.level == level}


def test_the_count_shown_is_the_count_sent(tenant, other_tenant, gateway):
    tenant.frequency_cap_count = 1
    tenant.save()
    capped, fine = make_recipient(), [make_recipient() for _ in range(20)]
    make_started(capped)
    send_all()
    people = [capped, *fine, make_recipient(email_opt_in=False), make_recipient(status="INACTIVE")]
    campaign = make_campaign(*people, hold_out_percent=50)
    before = len(gateway.inbox)

    reach = preflight(campaign, now=timezone.now(), is_starting=True).reach
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)
    send_all()

    (channel,) = reach.channels
    sent = len(gateway.inbox) - before
    assert reach.in_segment == channel.reachable + sum(channel.reasons.values()) == len(people)
    assert sent == channel.reachable == reach.people
    assert channel.reasons["CAPPED"] == 1
    assert dict(channel.reasons) == {
        reason: campaign.deliveries.filter(reason=reason).count() for reason in channel.reasons
    }


def test_who_hears_something_else_within_two_days_is_counted(tenant, other_tenant):
    both, other, alone = make_recipient(), make_recipient(), make_recipient()
    make_started(both)
    send_all()
    soon = make_campaign(other, name="Sunday roast")
    lifecycle.schedule_campaign(
        campaign_id=soon.pk, actor=ACTOR, scheduled_at=timezone.now() + timedelta(days=1)
    )
    far = make_campaign(alone)
    lifecycle.schedule_campaign(
        campaign_id=far.pk, actor=ACTOR, scheduled_at=timezone.now() + timedelta(days=5)
    )
    campaign = make_campaign(both, other, alone)

    found = preflight(campaign, now=timezone.now(), is_starting=True)

    (overlap,) = [each for each in found.findings if each.code == "overlap"]
    assert found.reach.twice == 2
    assert "2 people hear something else" in overlap.message
    assert "Sunday roast" in overlap.message


def test_a_template_that_asks_for_what_nobody_knows_is_amber(tenant, monkeypatch):
    odd = Template("newsletter-email", "News", Channel.EMAIL, "MARKETING", ("shoeSize",))
    monkeypatch.setattr(memory, "TEMPLATES", (odd,))
    campaign = make_campaign(make_recipient())

    assert "template_variable" in codes(campaign, "amber")
    lifecycle.start_campaign(campaign_id=campaign.pk, actor=ACTOR)


@pytest.mark.parametrize(
    ("refresh", "code"),
    [
        ({"status": "HELD"}, "segment_held"),
        ({"status": "SUCCESS", "entered_count": 9, "left_count": 2, "member_count": 17},
         "segment_changed"),
        ({"status": "SUCCESS", "entered_count": 1, "left_count": 1, "member_count": 17}, None),
    ],
)  # fmt: skip
def test_a_segment_that_changed_by_over_half_is_amber(tenant, refresh, code):
    campaign = make_campaign(make_recipient())
    SegmentRefresh.objects.create(
        segment=campaign.segment, finished_at=timezone.now(), requested_by=ACTOR.id, **refresh
    )

    assert codes(campaign) & {"segment_held", "segment_changed"} == ({code} if code else set())


def test_old_consent_a_hold_and_switched_off_sending_are_told(tenant, settings):
    settings.MESSAGING_IS_SANDBOX = True
    SendingHold.objects.create(until=timezone.now() + timedelta(minutes=5), reason="wrong token")
    tenant.is_sending_enabled = False
    tenant.save()

    found = codes(make_campaign(make_recipient()))

    assert {"consent_old", "messaging_hold", "sending_off", "sandbox"} <= found


def test_what_is_well_is_green(tenant):
    passed = {each.message for each in preflight(
        make_campaign(make_recipient()), now=timezone.now(), is_starting=True
    ).passed}  # fmt: skip

    assert "Nobody hears twice within two days." in passed
    assert "Outside the quiet hours." in passed


def test_red_refuses_over_http_with_every_reason(client, key_for, tenant):
    campaign = make_campaign(segment=None, email_template_id=None)
    headers = key_for(tenant, "campaigns:read", "campaigns:write")
    url = f"/api/v1/campaigns/{campaign.pk}/"

    answer = client.post(f"{url}start/", {}, content_type="application/json", **headers)
    found = client.post(f"{url}preflight/", {}, content_type="application/json", **headers).json()

    assert answer.status_code == 409
    assert [each["path"] for each in answer.json()["errors"]] == [
        "segmentId",
        "emailTemplateId",
    ] or [each["path"] for each in answer.json()["errors"]] == ["segment", "emailTemplateId"]
    assert found["isClear"] is False
    assert {each["level"] for each in found["passed"]} == {"green"}


def test_every_number_opens_its_people(as_ann, as_ben, as_cleo, tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        make_recipient(first_name="Stranger")
    hearing = [make_recipient(first_name=f"Hears{number}") for number in range(51)]
    silent = make_recipient(first_name="Silent", email_opt_in=False)
    campaign = make_campaign(*hearing, silent)
    page = f"/{tenant.pk}" + reverse("admin:campaigns_campaign_people", args=[campaign.pk])

    everybody = as_ann.get(page)
    left_out = as_ann.get(page, {"channel": "EMAIL", "why": "NO_CONSENT"}).content.decode()
    first = as_ann.get(page, {"channel": "EMAIL", "why": ""})
    rest = as_ann.get(page, {"channel": "EMAIL", "after": first.context["next"]})

    assert len(everybody.context["people"]) == 50
    assert "Silent" in left_out
    assert "Hears" not in left_out
    assert len(first.context["people"]) + len(rest.context["people"]) == 51
    assert as_ann.get(page, {"channel": "PIGEON"}).status_code == 404
    assert as_ann.get(page, {"why": "BORED"}).status_code == 404
    assert as_cleo.get(page).status_code == 404


def test_reach_is_counted_for_a_crowd_without_a_campaign(tenant):
    segment = make_segment(make_recipient())

    reach = count_reach(crowd=Crowd((segment.pk,)), channels=["EMAIL"], now=timezone.now())

    assert (reach.people, reach.twice) == (1, None)
