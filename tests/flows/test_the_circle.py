"""From a signed event to a sent campaign and its results, over real HTTP."""

import time

import pytest
from django.db import transaction
from django.urls import reverse

from campaigns.models import Campaign, CampaignInteraction, Delivery
from campaigns.tasks import dispatch_due
from crm_site.access.roles import Role
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from customers.models import Activity, CustomerProfile, SyncLog
from segments.models import CustomerSegment
from segments.tasks import refresh_due
from tests.conftest import make_user, open_tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PEOPLE = {
    # name: (e-mail consent, SMS consent)
    "Ann": (True, True),
    "Bheki": (True, False),
    "Carla": (False, True),
    "Dewald": (False, False),
}


def person(number: int, name: str) -> dict:
    return {
        "sclMemberId": 1000 + number,
        "firstName": name,
        "lastName": "Botha",
        "email": f"{name.lower()}@example.org",
        "phoneNumber": f"082555010{number}",
    }


@pytest.fixture
def oakhill(transactional_db):
    return open_tenant("oakhill", "Oakhill Golf Club")


@pytest.fixture
def pinecrest(transactional_db):
    return open_tenant("pinecrest", "Pinecrest Country Club")


def until(question, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)


def in_scope(tenant, question):
    with tenant_scope(tenant.pk), transaction.atomic():
        return question()


def test_from_a_signed_event_to_counted_clicks(
    oakhill, pinecrest, source, sandbox, rung_at_once, client
):
    marketer = make_user("mara@oakhill.test", Role.MARKETER, oakhill)
    scl, messaging = source(oakhill, "scl"), source(oakhill, "messaging")
    theirs = source(pinecrest, "scl")
    sandbox.set_endpoint(oakhill.pk, url=messaging.url, secret=messaging.secret)
    people = {name: person(number, name) for number, name in enumerate(PEOPLE, start=1)}

    # Four members join one club, one of them also another club that must not know.
    joined = [
        scl.event("member.created", who, membershipTier="Full", membershipStatus="ACTIVE")
        for who in people.values()
    ]
    assert scl.send(*joined).json() == {"accepted": 4, "duplicates": 0, "rejected": []}
    assert scl.send(*joined).json() == {"accepted": 0, "duplicates": 4, "rejected": []}
    stranger = theirs.event("member.created", people["Ann"], membershipStatus="ACTIVE")
    assert theirs.send(stranger).status_code == 202
    for name, (by_email, by_sms) in PEOPLE.items():
        for channel, said in (("EMAIL", by_email), ("SMS", by_sms)):
            changed = messaging.event(
                "contactPreference.updated", people[name], channel=channel, optedIn=said
            )
            changed["data"]["changedAt"] = changed["time"]
            assert messaging.send(changed).status_code == 202

    def profiles():
        return {p.first_name: p for p in CustomerProfile.objects.all()}

    known = in_scope(oakhill, profiles)
    assert {n: (p.email_opt_in, p.sms_opt_in) for n, p in known.items()} == PEOPLE
    assert known["Ann"].lifecycle_stage == "MEMBER"
    assert (
        in_scope(oakhill, lambda: Activity.objects.filter(type="MEMBERSHIP_CREATED").count()) == 4
    )
    assert in_scope(oakhill, lambda: set(SyncLog.objects.values_list("status", flat=True))) == {
        "SUCCESS"
    }

    # The tick puts them into the segment that comes with every club.
    in_scope(oakhill, lambda: CustomerSegment.objects.update(next_refresh_at="2026-01-01T00:00Z"))
    refresh_due()
    segment = in_scope(oakhill, lambda: CustomerSegment.objects.get(name="Active Members"))
    assert segment.member_count == 4

    # A marketer fills in the form, and presses start.
    client.force_login(marketer, backend="django.contrib.auth.backends.ModelBackend")
    campaign = start_by_form(client, segment)
    dispatch_due()

    # Exactly one message per consenting member and channel.
    sent = sandbox.inbox(oakhill.pk)
    expected = {
        (str(known[name].pk), channel)
        for name, said in PEOPLE.items()
        for channel, yes in zip(("EMAIL", "SMS"), said, strict=True)
        if yes
    }
    assert {(m["customer_id"], m["channel"]) for m in sent} == expected
    assert len(sent) == len(expected)
    assert sandbox.inbox(pinecrest.pk) == []
    dispatch_due()
    assert len(sandbox.inbox(oakhill.pk)) == len(expected)

    # Deliveries, opens and clicks come back signed, some of them twice.
    anns = next(
        m for m in sent if (m["customer_id"], m["channel"]) == (str(known["Ann"].pk), "EMAIL")
    )
    for verb in ("open", "open", "click"):
        sandbox.simulate(anns["id"], verb)
    until(
        lambda: in_scope(
            oakhill, lambda: CampaignInteraction.objects.filter(type="CLICKED").count()
        )
    )

    done = in_scope(oakhill, lambda: Campaign.objects.get(pk=campaign.pk))
    assert (done.target_count, done.sent_count) == (4, len(expected))
    assert (done.opened_count, done.clicked_count) == (1, 1)
    left_out = in_scope(
        oakhill, lambda: Delivery.objects.filter(campaign=campaign, state="SUPPRESSED").count()
    )
    assert left_out == 8 - len(expected)

    # The log tells who did what; the other club heard of nothing.
    acts = in_scope(
        oakhill,
        lambda: set(
            CrmAuditLog.objects.filter(entity_id=str(campaign.pk)).values_list(
                "action", "performed_by"
            )
        ),
    )
    assert ("CREATE", f"user:{marketer.pk}") in acts
    assert ("START", f"user:{marketer.pk}") in acts
    assert in_scope(pinecrest, CustomerProfile.objects.count) == 1
    assert in_scope(pinecrest, lambda: list(Campaign.objects.all())) == []


def start_by_form(client, segment) -> Campaign:
    """What a marketer does in the admin: fill in the steps, read the review, press start."""
    made = client.post(
        "/oakhill/admin/campaigns/campaign/add/", {"name": "Spring Special", "type": "ONE_TIME"}
    )
    assert made.status_code == 302, made.context["form"].errors
    campaign = in_scope(segment.tenant, Campaign.objects.get)
    filled = {
        "audience": {"segment": str(segment.pk)},
        "content": {
            "on_EMAIL": "on",
            "on_SMS": "on",
            "email_template_id": "newsletter-email",
            "sms_template_id": "offer-sms",
        },
        "schedule": {"when": "hand", "timezone": "Africa/Johannesburg"},
        "review": {"wish": "start"},
    }
    for step, values in filled.items():
        url = "/oakhill" + reverse("admin:campaigns_campaign_step", args=[campaign.pk, step])
        answer = client.post(url, values)
        assert answer.status_code == 302, answer.content
    return campaign
