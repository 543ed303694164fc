"""Campaigns over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign, EventPromotion
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club
from tests.campaigns.builders import make_campaign, make_recipient, make_segment, send_all

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")
URL = "/api/v1/campaigns/"
JSON = {"content_type": "application/json"}


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "campaigns:read", "campaigns:write")


@pytest.fixture
def read_only(tenant, key_for):
    return key_for(tenant, "campaigns:read")


def body(segment, **values):
    return {
        "name": "Winter offer",
        "segmentId": str(segment.pk),
        "channels": ["EMAIL"],
        "emailTemplateId": "newsletter-email",
        "timezone": "Africa/Johannesburg",
        **values,
    }


def post(client, path, headers, values=None):
    return client.post(f"{URL}{path}", values or {}, **JSON, **headers)


def test_a_campaign_is_made_looked_over_started_and_read(client, headers, tenant):
    hearing, silent = make_recipient(), make_recipient(email_opt_in=False)
    made = post(client, "", headers, body(make_segment(hearing, silent)))
    assert made.status_code == 201, made.json()
    campaign_id = made.json()["id"]

    preflight = post(client, f"{campaign_id}/preflight/", headers).json()
    started = post(client, f"{campaign_id}/start/", headers)
    send_all()
    shown = client.get(f"{URL}{campaign_id}/", **headers).json()
    deliveries = client.get(f"{URL}{campaign_id}/deliveries/", **headers).json()["results"]
    runs = client.get(f"{URL}{campaign_id}/runs/", **headers).json()["results"]
    stats = client.get(f"{URL}{campaign_id}/stats/", **headers).json()

    assert (preflight["inSegment"], preflight["reachable"], preflight["messages"]) == (2, 1, 1)
    assert preflight["channels"] == [
        {"channel": "EMAIL", "reachable": 1, "reasons": {"NO_CONSENT": 1}}
    ]
    assert preflight["isClear"] is True
    assert (started.status_code, started.json()["status"]) == (200, "ACTIVE")
    assert (shown["status"], shown["targetCount"], shown["sentCount"]) == ("COMPLETED", 2, 1)
    assert {(row["state"], row["reason"], row["customerId"]) for row in deliveries} == {
        ("ACCEPTED", None, str(hearing.pk)),
        ("SUPPRESSED", "NO_CONSENT", str(silent.pk)),
    }
    assert {row["runId"] for row in deliveries} == {runs[0]["id"]}
    assert runs[0]["status"] == "COMPLETED"
    assert stats["sentCount"] == 1
    assert stats["states"] == {"ACCEPTED": {"": 1}, "SUPPRESSED": {"NO_CONSENT": 1}}
    assert stats["channels"][0]["sent"] == 1


def test_it_is_scheduled_paused_resumed_cancelled_and_cloned(client, headers, tenant):
    campaign = make_campaign(make_recipient())
    later = (timezone.now() + timedelta(hours=2)).isoformat()

    scheduled = post(client, f"{campaign.pk}/schedule/", headers, {"scheduledAt": later})
    statuses = [
        post(client, f"{campaign.pk}/{move}/", headers).json()["status"]
        for move in ("unschedule", "start", "pause", "resume", "cancel")
    ]
    clone = post(client, f"{campaign.pk}/clone/", headers)

    assert scheduled.json()["status"] == "SCHEDULED"
    assert statuses == ["DRAFT", "ACTIVE", "PAUSED", "ACTIVE", "CANCELLED"]
    assert (clone.status_code, clone.json()["scheduledAt"]) == (201, None)


def test_a_move_that_is_not_allowed_says_why(client, headers, tenant):
    campaign = make_campaign(make_recipient())

    answer = post(client, f"{campaign.pk}/pause/", headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_state")
    assert "this one is draft" in answer.json()["detail"]


def test_a_red_finding_refuses_the_start_and_names_the_field(client, headers, tenant):
    campaign = make_campaign(make_recipient(), email_template_id=None)

    answer = post(client, f"{campaign.pk}/start/", headers)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["path"] == "emailTemplateId"
    campaign.refresh_from_db()
    assert campaign.status == "DRAFT"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"channels": ["PIGEON"]}, "channels[0]"),
        ({"channels": ["EMAIL", "EMAIL"]}, "channels"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"segmentId": "01a205df-b309-7195-b996-35495d05feae"}, "segmentId"),
        ({"recurPattern": "0 9 30 2 *", "type": "RECURRING"}, "recurPattern"),
        ({"type": "RECURRING"}, "recurPattern"),
        ({"scheduledAt": "2027-01-02T00:00:00Z", "recurEndAt": "2027-01-01T00:00:00Z"},
         "recurEndAt"),
        ({"status": "ACTIVE"}, "status"),
        ({"sentCount": 3}, "sentCount"),
        ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_bad_values_name_their_field(client, headers, tenant, values, path):
    answer = post(client, "", headers, body(make_segment(), **values))

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert Campaign.objects.count() == 0


def test_a_deleted_or_foreign_segment_does_not_exist(client, headers, tenant, other_tenant):
    deleted = make_segment(deleted_at=timezone.now())
    with tenant_scope(other_tenant.pk):
        foreign = make_segment()

    answers = [post(client, "", headers, body(segment)) for segment in (deleted, foreign)]

    assert [answer.json()["errors"][0]["path"] for answer in answers] == ["segmentId"] * 2


def test_a_running_campaign_takes_a_new_name_and_nothing_else(client, headers, tenant):
    campaign = make_campaign(make_recipient())
    post(client, f"{campaign.pk}/start/", headers)

    def change(values):
        return client.patch(f"{URL}{campaign.pk}/", values, **JSON, **headers)

    assert change({"name": "New name"}).status_code == 200
    refused = change({"channels": ["SMS"]})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (409, "channels")


def test_next_runs_works_on_a_draft(client, headers, tenant):
    campaign = make_campaign(
        type="RECURRING", recur_pattern="0 9 * * *", timezone="Africa/Johannesburg"
    )

    runs = client.get(f"{URL}{campaign.pk}/next-runs/?count=400", **headers).json()["results"]
    refused = client.get(f"{URL}{campaign.pk}/next-runs/?count=401", **headers)

    assert len(runs) == 400
    assert all(run.endswith("T07:00:00Z") for run in runs)
    assert refused.json()["errors"][0]["path"] == "count"


def test_a_key_without_the_scope_may_only_read(client, read_only, tenant):
    campaign = make_campaign(make_recipient())

    assert client.get(f"{URL}{campaign.pk}/", **read_only).status_code == 200
    assert post(client, f"{campaign.pk}/preflight/", read_only).status_code == 200
    assert post(client, f"{campaign.pk}/start/", read_only).status_code == 403


def test_ann_may_start_ben_may_look_and_cleo_finds_nothing(client, ann, ben, cleo, tenant):
    campaign = make_campaign(make_recipient())
    path = f"/{tenant.pk}/api/v1/campaigns/{campaign.pk}/"

    def ask(user):
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client.get(path).status_code, client.post(f"{path}start/", {}, **JSON).status_code

    assert ask(ben) == (200, 403)
    assert ask(cleo) == (404, 404)
    assert ask(ann) == (200, 200)


def test_another_clubs_rows_are_not_there(client, headers, tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_campaign(make_recipient())

    assert client.get(URL, **headers).json()["results"] == []
    for path in ("", "stats/", "runs/", "deliveries/", "next-runs/"):
        assert client.get(f"{URL}{stranger.pk}/{path}", **headers).status_code == 404
    assert post(client, f"{stranger.pk}/start/", headers).status_code == 404


def test_the_list_costs_the_same_whatever_its_length(
    client, headers, tenant, django_assert_num_queries
):
    for _ in range(3):
        make_campaign(make_recipient())
    client.get(URL, **headers)

    with django_assert_num_queries(8):
        assert len(client.get(URL, **headers).json()["results"]) == 3


def test_promotions_are_made_changed_and_removed(client, headers, tenant):
    club = Club.objects.create(name="North course")
    values = {"clubId": str(club.pk), "sourceType": "COMPETITION", "sourceId": "c-7"}
    url = "/api/v1/promotions/"

    made = client.post(url, values, **JSON, **headers)
    again = client.post(url, values, **JSON, **headers)
    changed = client.patch(
        f"{url}{made.json()['id']}/", {"reminderDays": [2]}, **JSON, **headers
    ).json()
    removed = client.delete(f"{url}{made.json()['id']}/", **headers)

    assert (made.status_code, made.json()["reminderDays"]) == (201, [7, 3, 1])
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert changed["reminderDays"] == [2]
    assert (removed.status_code, EventPromotion.objects.count()) == (204, 0)


VARIANTS = [
    {"name": "A", "share": 50, "emailTemplateId": "newsletter-email"},
    {"name": "B", "share": 50, "emailTemplateId": "welcome-email", "sendHour": 9},
]


def test_a_test_of_variants_is_written_and_read(client, headers, tenant):
    body = {"name": "Test", "testPercent": 20, "testMetric": "CLICKED", "testHours": 6,
            "holdOutPercent": 5, "messagesPerHour": 600, "quietHoursPolicy": "SKIP",
            "variants": VARIANTS}  # fmt: skip

    made = client.post(URL, body, content_type="application/json", **headers).json()
    changed = client.patch(
        f"{URL}{made['id']}/", {"variants": VARIANTS[:1]}, content_type="application/json",
        **headers,
    )  # fmt: skip

    assert {name: made[name] for name in body if name != "variants"} == {
        name: value for name, value in body.items() if name != "variants"
    }
    assert [(each["name"], each["sendHour"]) for each in made["variants"]] == [
        ("A", None),
        ("B", 9),
    ]
    assert [each["name"] for each in changed.json()["variants"]] == ["A"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"testPercent": 0}, "testPercent"),
        ({"testPercent": 101}, "testPercent"),
        ({"testHours": 25}, "testHours"),
        ({"testMetric": "LIKED"}, "testMetric"),
        ({"holdOutPercent": 51}, "holdOutPercent"),
        ({"holdOutPercent": -1}, "holdOutPercent"),
        ({"messagesPerHour": 0}, "messagesPerHour"),
        ({"messagesPerHour": "many"}, "messagesPerHour"),
        ({"quietHoursPolicy": "SHOUT"}, "quietHoursPolicy"),
        ({"variants": VARIANTS * 3}, "variants"),
        ({"variants": [VARIANTS[0], VARIANTS[0]]}, "variants"),
        ({"variants": [{**VARIANTS[0], "share": 0}]}, "variants"),
        ({"variants": [{**VARIANTS[1], "sendHour": 24}]}, "variants"),
        ({"variants": [{"share": 50}]}, "variants"),
        ({"variants": "A"}, "variants"),
    ],
)
def test_a_test_that_cannot_be_is_refused_naming_the_field(client, headers, tenant, body, field):
    answer = client.post(
        URL, {"name": "Test", **body}, content_type="application/json", **headers
    )  # fmt: skip

    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not Campaign.objects.exists()
