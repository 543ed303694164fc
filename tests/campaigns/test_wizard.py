"""A marketer fills in the form step by step, and each step is kept."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.crowd import Crowd
from crm_site.messaging.gateway import MessagingUncertain
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import make_campaign, make_recipient, make_segment, make_started

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")


def url_of(tenant, name, *args):
    return f"/{tenant.pk}" + reverse(f"admin:campaigns_campaign_{name}", args=args)


def step(tenant, campaign, slug):
    return url_of(tenant, "step", campaign.pk, slug)


def html(answer):
    return " ".join(answer.content.decode().split())


def test_from_nothing_to_started_without_a_script(as_ann, ann, tenant, other_tenant):
    ladies = make_segment(make_recipient(), make_recipient(email_opt_in=False), name="Ladies")

    made = as_ann.post(url_of(tenant, "add"), {"name": "Winter offer", "type": "ONE_TIME"})
    campaign = Campaign.objects.get()
    assert made["Location"] == step(tenant, campaign, "audience")
    as_ann.post(made["Location"], {"segment": str(ladies.pk)})
    content = {"on_EMAIL": "on", "email_template_id": "newsletter-email"}
    as_ann.post(step(tenant, campaign, "content"), content)
    last = as_ann.post(
        step(tenant, campaign, "schedule"), {"when": "hand", "timezone": "Africa/Johannesburg"}
    )
    values = {"hold_out_percent": "0", "test_metric": "OPENED", "test_hours": "4"}
    last = as_ann.post(last["Location"], values)
    review = as_ann.get(last["Location"])
    started = as_ann.post(last["Location"], {"wish": "start"})

    campaign.refresh_from_db()
    assert "1 person will hear, by 1 message." in html(review)
    assert started["Location"] == url_of(tenant, "change", campaign.pk)
    assert (campaign.status, campaign.channels) == ("ACTIVE", ["EMAIL"])
    assert campaign.created_by == f"user:{ann.pk}"


def test_a_draft_opens_on_the_step_to_go_on_with(as_ann, tenant):
    empty = make_campaign(segment=None)
    without_content = make_campaign(make_recipient(), channels=[])
    whole = make_campaign(make_recipient())

    opened = [
        as_ann.get(url_of(tenant, "change", each.pk))["Location"].split("/")[-2]
        for each in (empty, without_content, whole)
    ]

    assert opened == ["audience", "content", "review"]


def test_a_time_is_read_by_the_clock_of_its_zone(as_ann, tenant):
    campaign = make_campaign(make_recipient())
    day = (timezone.now() + timedelta(days=30)).date()
    values = {"when": "time", "send_on": day, "send_at": "09:30", "timezone": "Africa/Johannesburg"}

    as_ann.post(step(tenant, campaign, "schedule"), values)
    shown = html(as_ann.get(step(tenant, campaign, "schedule")))
    as_ann.post(step(tenant, campaign, "review"), {"wish": "schedule"})

    campaign.refresh_from_db()
    assert (campaign.scheduled_at.date(), f"{campaign.scheduled_at:%H:%M}") == (day, "07:30")
    assert 'value="09:30"' in shown
    assert campaign.status == "SCHEDULED"


@pytest.mark.parametrize(
    ("slug", "values", "field"),
    [
        ("basics", {"name": "", "type": "ONE_TIME"}, "name"),
        ("basics", {"name": "x" * 201, "type": "ONE_TIME"}, "name"),
        ("basics", {"name": "News", "type": "JOURNEY"}, "type"),
        ("audience", {"segment": "not-an-id"}, "segment"),
        ("content", {"on_EMAIL": "on", "email_template_id": "unheard-of"}, "email_template_id"),
        ("schedule", {"when": "time", "send_on": "2020-01-01", "send_at": "09:00"}, "send_on"),
        ("schedule", {"when": "time", "send_on": "2030-01-01"}, "send_at"),
        ("schedule", {"when": "time", "send_on": "2030-03-31", "send_at": "01:30",
                      "timezone": "Europe/London"}, "send_at"),
        ("schedule", {"when": "hand", "timezone": "Mars/Base"}, "timezone"),
    ],
)  # fmt: skip
def test_bad_values_are_shown_at_their_field_and_nothing_is_kept(
    as_ann, tenant, slug, values, field
):
    campaign = make_campaign(make_recipient())
    before = Campaign.objects.values().get()

    answer = as_ann.post(step(tenant, campaign, slug), {"timezone": "UTC"} | values)

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert Campaign.objects.values().get() == before


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ({"repeats": "DAILY", "at": "07:05"}, "5 7 * * *"),
        ({"repeats": "WEEKLY", "weekdays": ["5", "1"], "at": "09:00"}, "0 9 * * 1,5"),
        ({"repeats": "MONTHLY", "day": "L", "at": "18:30"}, "30 18 L * *"),
        ({"repeats": "PATTERN", "pattern": "0 9 * * 1#1"}, "0 9 * * 1#1"),
    ],
)
def test_a_repeating_campaign_is_put_in_words(as_ann, tenant, values, pattern):
    campaign = make_campaign(make_recipient(), type="RECURRING")
    values = {"timezone": "Africa/Johannesburg", **values}

    times = html(as_ann.get(url_of(tenant, "times", campaign.pk), values))
    as_ann.post(step(tenant, campaign, "schedule"), values)
    shown = as_ann.get(step(tenant, campaign, "schedule"))

    campaign.refresh_from_db()
    assert campaign.recur_pattern == pattern
    assert times.count("<time") == html(shown).count("<time") == 10
    assert shown.context["form"]["repeats"].value() == values["repeats"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"repeats": "WEEKLY", "at": "09:00"}, "weekdays"),
        ({"repeats": "DAILY"}, "at"),
        ({"repeats": "PATTERN", "pattern": "0 9 30 2 *"}, "pattern"),
        ({"repeats": "PATTERN", "pattern": "* * * * * *"}, "pattern"),
        ({"repeats": "DAILY", "at": "09:00", "start_on": "2030-02-02", "end_on": "2030-02-01"},
         "end_on"),
    ],
)  # fmt: skip
def test_a_rhythm_that_says_nothing_is_refused_at_its_field(as_ann, tenant, values, field):
    campaign = make_campaign(type="RECURRING")

    answer = as_ann.post(step(tenant, campaign, "schedule"), {"timezone": "UTC", **values})

    assert set(answer.context["form"].errors) == {field}


def test_segments_are_ones_own_and_not_on_both_sides(as_ann, tenant, other_tenant):
    mine, juniors = make_segment(name="Mine"), make_segment(name="Juniors")
    campaign = make_campaign(segment=None)
    with tenant_scope(other_tenant.pk):
        foreign = make_segment(name="Theirs alone")
    address = step(tenant, campaign, "audience")

    shown = html(as_ann.get(address))
    refused = as_ann.post(address, {"segment": str(foreign.pk)})
    both = as_ann.post(address, {"segment": str(mine.pk), "exclude_segments": [str(mine.pk)]})
    as_ann.post(address, {"segment": str(mine.pk), "include_segments": [str(juniors.pk)]})

    campaign.refresh_from_db()
    assert "Theirs alone" not in shown
    assert set(refused.context["form"].errors) == {"segment"}
    assert set(both.context["form"].errors) == {"exclude_segments"}
    assert set(Crowd.of(campaign).included) == {mine.pk, juniors.pk}


def test_the_reach_is_counted_while_choosing(as_ann, tenant):
    both, one = make_recipient(phone_number="+27821234567", sms_opt_in=True), make_recipient()
    segment, campaign = make_segment(both, one), make_campaign(segment=None)
    values = {"choosing": "1", "segment": str(segment.pk)}

    shown = html(as_ann.get(url_of(tenant, "reach", campaign.pk), values))

    assert '<strong class="cw-big">2</strong> of 2 people' in shown
    assert "<span>SMS</span> <span>1</span>" in shown


def test_a_template_is_shown_as_somebody_reads_it(as_ann, tenant, gateway, monkeypatch):
    campaign = make_campaign(reader := make_recipient(first_name="Zola"))
    address = url_of(tenant, "look", campaign.pk)
    values = {"channel": "EMAIL", "email_template_id": "newsletter-email", "reader": reader.pk}

    shown = html(as_ann.get(address, values))
    gone = html(as_ann.get(address, values | {"email_template_id": "gone"}))
    assert as_ann.get(address, {"channel": "PIGEON"}).status_code == 404
    monkeypatch.setattr(gateway, "render_template", _away)
    away = html(as_ann.get(address, values))

    assert "News from Oakhill Golf Club" in shown
    assert "Dear Zola" in shown
    assert "no such template" in gone
    assert "cannot be reached" in away


def test_a_step_opens_while_messaging_is_away(as_ann, tenant, gateway, monkeypatch):
    campaign = make_campaign(make_recipient())
    monkeypatch.setattr(gateway, "list_templates", _away)

    page = as_ann.get(step(tenant, campaign, "content"))

    assert page.status_code == 200
    assert "Messaging cannot be reached just now" in html(page)


def test_many_people_are_confirmed_by_their_number(as_ann, tenant, monkeypatch):
    monkeypatch.setattr("campaigns.admin.wizard.review.TYPED_ABOVE", 1)
    campaign = make_campaign(make_recipient(), make_recipient())
    address = step(tenant, campaign, "review")

    refused = as_ann.post(address, {"wish": "start", "sure": "3"})
    started = as_ann.post(address, {"wish": "start", "sure": "2"})

    assert (refused.status_code, started.status_code) == (409, 302)
    assert "Type 2 to confirm" in html(refused)


def test_a_copy_has_no_dates_and_a_draft_can_be_thrown_away(as_ann, tenant):
    campaign = make_campaign(make_recipient(), scheduled_at=timezone.now() + timedelta(days=1))

    copied = as_ann.post(url_of(tenant, "copy", campaign.pk))
    clone = Campaign.objects.exclude(pk=campaign.pk).get()
    as_ann.post(url_of(tenant, "discard", clone.pk))

    assert copied["Location"] == step(tenant, clone, "basics")
    assert clone.scheduled_at is None
    assert list(Campaign.objects.live()) == [campaign]


def test_ben_may_look_cleo_finds_nothing_and_links_write_nothing(as_ann, as_ben, as_cleo, tenant):
    campaign = make_campaign(make_recipient())
    pages = [step(tenant, campaign, "audience"), url_of(tenant, "reach", campaign.pk)]

    assert as_ben.get(url_of(tenant, "change", campaign.pk)).status_code == 200
    assert as_ben.post(pages[0], {"segment": ""}).status_code == 302
    assert as_ben.get(url_of(tenant, "add")).status_code == 403
    for page in pages:
        assert as_cleo.get(page).status_code == 404
    for name in ("copy", "discard"):
        assert as_ann.get(url_of(tenant, name, campaign.pk)).status_code == 405
        assert as_ben.post(url_of(tenant, name, campaign.pk)).status_code == 403
    campaign.refresh_from_db()
    assert campaign.segment is not None
    assert campaign.deleted_at is None


def test_a_campaign_under_way_has_no_steps_any_more(as_ann, tenant):
    campaign = make_started(make_recipient())

    answer = as_ann.post(step(tenant, campaign, "content"), {"on_SMS": "on"})

    campaign.refresh_from_db()
    assert answer["Location"] == url_of(tenant, "change", campaign.pk)
    assert campaign.channels == ["EMAIL"]


def test_a_second_version_is_tried_and_some_are_kept_out(as_ann, tenant):
    campaign = make_campaign(make_recipient())
    values = {"hold_out_percent": "10", "test_percent": "20", "test_metric": "CLICKED",
              "test_hours": "6", "b_email_template_id": "welcome-email"}  # fmt: skip

    as_ann.post(step(tenant, campaign, "test"), values)
    shown = as_ann.get(step(tenant, campaign, "test")).context["form"]
    refused = as_ann.post(step(tenant, campaign, "test"), values | {"hold_out_percent": "51"})

    campaign.refresh_from_db()
    assert (campaign.hold_out_percent, campaign.test_percent) == (10, 20)
    assert list(campaign.variants.values_list("name", "share", "email_template_id")) == [
        ("A", 50, None),
        ("B", 50, "welcome-email"),
    ]
    assert shown["b_email_template_id"].value() == "welcome-email"
    assert set(refused.context["form"].errors) == {"hold_out_percent"}


def _away(*args, **kwargs):
    raise MessagingUncertain("No answer.")
