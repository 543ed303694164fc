"""Where the club asks for it, a second person looks at a campaign before many hear."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import CampaignApproval
from campaigns.services import lifecycle
from campaigns.services.approving import (
    ApprovalError,
    approve_campaign,
    request_approval,
    return_campaign,
)
from campaigns.services.preflight import PreflightError
from crm_site.access.roles import Role
from crm_site.audit.actor import Actor
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.context import tenant_scope
from tests.campaigns.builders import make_campaign, make_recipient, make_segment
from tests.conftest import make_user, signed_in

pytestmark = pytest.mark.usefixtures("gateway", "silent_bell")
MARIA, SECOND = Actor("user:101"), Actor("user:102")
JSON = {"content_type": "application/json"}


@pytest.fixture
def strict(tenant):
    tenant.approval_above = 1
    tenant.save()
    return tenant


@pytest.fixture
def campaign(strict):
    return make_campaign(make_recipient(), make_recipient(), created_by=MARIA.id)


def ask(campaign):
    return request_approval(campaign_id=campaign.pk, actor=MARIA, now=timezone.now())


def approve(campaign, actor=SECOND):
    return approve_campaign(campaign_id=campaign.pk, actor=actor, now=timezone.now())


def start(campaign):
    return lifecycle.start_campaign(campaign_id=campaign.pk, actor=MARIA)


def test_many_hear_only_what_a_second_person_approved(campaign):
    with pytest.raises(PreflightError) as refused:
        start(campaign)
    ask(campaign)
    with pytest.raises(PreflightError) as waiting:
        start(campaign)
    approval = approve(campaign)

    assert start(campaign).status == "ACTIVE"
    assert (refused.value.code, waiting.value.code) == ("approval_missing", "approval_waits")
    assert (approval.status, approval.recipient_count) == ("APPROVED", 2)
    assert approval.review["reach"]["people"] == 2
    acts = CrmAuditLog.objects.filter(entity_id=str(campaign.pk)).values_list("action", flat=True)
    assert {"REQUEST_APPROVAL", "APPROVE", "START"} <= set(acts)


def test_few_hear_without_and_so_do_all_where_nobody_asks(strict, other_tenant):
    few = make_campaign(make_recipient())
    with tenant_scope(other_tenant.pk):
        elsewhere = make_campaign(make_recipient(), make_recipient())
        assert start(elsewhere).status == "ACTIVE"

    assert start(few).status == "ACTIVE"


def test_nobody_approves_their_own(campaign):
    request_approval(campaign_id=campaign.pk, actor=SECOND, now=timezone.now())

    for actor in (MARIA, SECOND, Actor("key:abc"), Actor("system:task")):
        with pytest.raises(ApprovalError):
            approve(campaign, actor)
    assert approve(campaign, Actor("user:103")).status == "APPROVED"


@pytest.mark.parametrize(
    "values",
    [
        {"email_template_id": "welcome-email"},
        {"channels": ["EMAIL", "SMS"]},
        {"timezone": "Europe/London"},
        {"name": "Another name"},
        {"scheduled_at": timezone.now() + timedelta(days=3)},
    ],
)
def test_any_later_edit_undoes_the_approval(campaign, values):
    ask(campaign)
    approve(campaign)

    lifecycle.change_campaign(campaign_id=campaign.pk, values=values)

    assert CampaignApproval.objects.get().status == "UNDONE"
    with pytest.raises(PreflightError):
        start(campaign)


def test_other_segments_and_other_rules_of_a_segment_undo_it_too(campaign):
    ask(campaign)
    approve(campaign)
    also = {"include_segments": [make_segment(make_recipient())]}
    lifecycle.change_campaign(campaign_id=campaign.pk, values=also)
    with pytest.raises(PreflightError):
        start(campaign)
    ask(campaign)
    approve(campaign)

    campaign.segment.criteria = [{"field": "city", "operator": "equals", "value": "Durban"}]
    campaign.segment.save()

    with pytest.raises(PreflightError):
        start(campaign)


def test_a_change_between_question_and_answer_is_seen(campaign):
    ask(campaign)
    campaign.segment.criteria = [{"field": "city", "operator": "equals", "value": "Durban"}]
    campaign.segment.save()

    with pytest.raises(ApprovalError, match="changed since"):
        approve(campaign)


def test_another_time_than_was_approved_is_refused(campaign):
    ask(campaign)
    approve(campaign)
    later = timezone.now() + timedelta(days=2)

    with pytest.raises(PreflightError):
        lifecycle.schedule_campaign(campaign_id=campaign.pk, actor=MARIA, scheduled_at=later)


def test_it_is_returned_with_a_remark_and_asked_anew(campaign):
    ask(campaign)
    with pytest.raises(ApprovalError) as wordless:
        return_campaign(campaign_id=campaign.pk, actor=SECOND, now=timezone.now(), remark="  ")
    returned = return_campaign(
        campaign_id=campaign.pk, actor=SECOND, now=timezone.now(), remark="Wrong month."
    )
    asked_again = ask(campaign)

    assert wordless.value.path == "remark"
    assert (returned.status, returned.remark) == ("RETURNED", "Wrong month.")
    assert asked_again.pk != returned.pk


def test_asking_twice_is_one_request_and_what_is_red_is_mended_first(campaign):
    assert ask(campaign).pk == ask(campaign).pk
    lifecycle.change_campaign(campaign_id=campaign.pk, values={"email_template_id": None})

    with pytest.raises(ApprovalError) as refused:
        ask(campaign)

    assert refused.value.path == "email_template_id"


def test_over_http_staff_decide_and_keys_may_only_ask(
    client, as_ann, as_ben, as_cleo, key_for, campaign, strict
):
    headers = key_for(strict, "campaigns:read", "campaigns:write")
    url, own = f"/api/v1/campaigns/{campaign.pk}/", f"/{strict.pk}/api/v1/campaigns/{campaign.pk}/"

    asked = client.post(f"{url}request-approval/", {}, **JSON, **headers)
    by_key = client.post(f"{url}approve/", {}, **JSON, **headers)
    reasons = client.post(f"{url}start/", {}, **JSON, **headers)
    wordless = as_ann.post(f"{own}return/", {}, **JSON)
    assert as_ben.post(f"{own}approve/", {}, **JSON).status_code == 403
    assert as_cleo.post(f"{own}approve/", {}, **JSON).status_code == 404
    agreed = as_ann.post(f"{own}approve/", {"remark": "Nice."}, **JSON)
    listed = client.get(f"{url}approvals/", **headers).json()["results"]

    assert (asked.status_code, asked.json()["status"]) == (200, "REQUESTED")
    assert (by_key.status_code, by_key.json()["code"]) == (409, "not_a_person")
    assert (reasons.status_code, reasons.json()["code"]) == (409, "approval_waits")
    assert wordless.json()["errors"][0]["path"] == "remark"
    assert (agreed.status_code, agreed.json()["remark"]) == (200, "Nice.")
    assert [row["status"] for row in listed] == ["APPROVED"]


def test_the_review_page_leads_from_the_question_to_the_start(as_ann, as_ben, strict):
    marketer = make_user("maria@oakhill.test", Role.MARKETER, strict)
    campaign = make_campaign(
        make_recipient(), make_recipient(), created_by=Actor.user(marketer.pk).id
    )
    as_maria = signed_in(marketer)
    page = f"/{strict.pk}" + reverse("admin:campaigns_campaign_step", args=[campaign.pk, "review"])

    assert "Ask for approval" in as_maria.get(page).content.decode()
    as_maria.post(page, {"wish": "ask"})
    assert as_maria.post(page, {"wish": "approve"}).status_code == 403
    home = as_ann.get(f"/{strict.pk}/admin/").content.decode()
    waiting = as_ann.get(f"/{strict.pk}/admin/campaigns/campaign/?waits=approval")
    as_ann.post(page, {"wish": "approve"})
    as_maria.post(page, {"wish": "start"})

    campaign.refresh_from_db()
    assert "1 campaign waits for your approval" in home
    assert campaign.name in waiting.content.decode()
    assert "waits for your approval" not in as_ben.get(f"/{strict.pk}/admin/").content.decode()
    assert campaign.status == "ACTIVE"
