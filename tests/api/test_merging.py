"""Merging over HTTP: the contract's answers, refusals by path, once however often it is asked."""

import pytest

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile, DuplicateCandidate, ProfileMerge
from tests.factories import make_customer, make_duplicate, make_note

URL = "/api/v1/customers/"


@pytest.fixture
def post(client, tenant, key_for):
    headers = key_for(tenant, "customers:read", "customers:write")

    def send(url, body, **more):
        return client.post(url, body, content_type="application/json", **headers, **more)

    return send


def test_a_merge_answers_with_its_id_and_the_customer_who_is_left(post, client, tenant, key_for):
    ann = make_customer(email="ann@example.com", city="Durban")
    twin = make_customer(email="a.lee@example.com", city="Ballito", tags=["early"])
    note = make_note(twin)

    body = {"absorb": str(twin.pk), "picks": {"city": "absorbed", "tags": "both"}}
    answer = post(f"{URL}{ann.pk}/merge/", body)

    assert answer.status_code == 200
    assert answer.json()["mergeId"] == str(ProfileMerge.objects.get().pk)
    customer = answer.json()["customer"]
    assert (customer["id"], customer["city"], customer["tags"]) == (
        str(ann.pk),
        "Ballito",
        ["early"],
    )
    note.refresh_from_db()
    assert note.customer_id == ann.pk
    headers = key_for(tenant, "customers:read")
    merged = client.get(f"{URL}{twin.pk}/", **headers).json()
    assert (merged["status"], merged["mergedIntoId"]) == ("MERGED", str(ann.pk))
    found = client.get(f"{URL}?email=a.lee@example.com", **headers).json()
    assert [row["id"] for row in found["results"]] == [str(ann.pk)]


def test_an_undone_merge_answers_with_both_and_with_what_is_new(post, tenant):
    ann, twin = make_customer(first_name="Ann"), make_customer()
    merge_id = post(f"{URL}{ann.pk}/merge/", {"absorb": str(twin.pk)}).json()["mergeId"]
    make_note(ann)

    answer = post(f"{URL}{ann.pk}/unmerge/", {"mergeId": merge_id})

    assert answer.status_code == 200
    told = answer.json()
    assert (told["customer"]["id"], told["restored"]["id"]) == (str(ann.pk), str(twin.pk))
    assert (told["restored"]["status"], told["restored"]["email"]) == ("ACTIVE", twin.email)
    assert told["stays"] == {"notes": 1}
    again = post(f"{URL}{ann.pk}/unmerge/", {"mergeId": merge_id})
    assert (again.status_code, again.json()["code"]) == (409, "already_undone")


def test_an_inner_merge_waits_for_the_outer_to_be_undone(post, tenant):
    first, second, third = make_customer(), make_customer(), make_customer()
    inner = post(f"{URL}{second.pk}/merge/", {"absorb": str(first.pk)}).json()["mergeId"]
    outer = post(f"{URL}{third.pk}/merge/", {"absorb": str(second.pk)}).json()["mergeId"]

    refused = post(f"{URL}{second.pk}/unmerge/", {"mergeId": inner})

    assert refused.status_code == 409
    assert refused["Content-Type"] == "application/problem+json"
    assert third.name in refused.json()["detail"]
    assert post(f"{URL}{third.pk}/unmerge/", {"mergeId": outer}).status_code == 200
    assert post(f"{URL}{second.pk}/unmerge/", {"mergeId": inner}).status_code == 200


def test_refusals_name_the_fault_and_change_nothing(post, tenant, other_tenant):
    ann, twin = make_customer(), make_customer()
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
    url = f"{URL}{ann.pk}/merge/"

    def faults(body, to=url):
        answer = post(to, body)
        error = answer.json().get("errors", [{"path": "", "code": answer.json()["code"]}])[0]
        return answer.status_code, error["path"], error["code"]

    assert faults({}) == (400, "absorb", "required")
    assert faults({"absorb": 7}) == (400, "absorb", "invalid")
    assert faults({"absorb": str(ann.pk)}) == (409, "absorb", "same_customer")
    assert faults({"absorb": str(stranger.pk)}) == (400, "absorb", "not_found")
    twin_id = {"absorb": str(twin.pk)}
    assert faults({**twin_id, "keep": "a"}) == (400, "keep", "unknown_field")
    assert faults({**twin_id, "picks": []}) == (400, "picks", "not_a_dict")
    assert faults({**twin_id, "picks": {"shoe": "absorbed"}}) == (
        400, "picks.shoe", "unknown_field",
    )  # fmt: skip
    assert faults({**twin_id, "picks": {"city": "left"}}) == (400, "picks.city", "invalid_choice")
    assert faults({**twin_id, "picks": {"email": "both"}}) == (400, "picks.email", "invalid_choice")
    assert faults(twin_id, f"{URL}{stranger.pk}/merge/")[0] == 404
    assert faults({"mergeId": str(ann.pk)}, f"{URL}{ann.pk}/unmerge/") == (
        400, "mergeId", "not_found",
    )  # fmt: skip
    assert not ProfileMerge.objects.exists()
    assert post(url, twin_id).status_code == 200
    assert faults(twin_id) == (409, "absorb", "already_merged")


def test_the_same_request_merges_once(post, tenant):
    ann, twin = make_customer(), make_customer()
    url, body = f"{URL}{ann.pk}/merge/", {"absorb": str(twin.pk)}

    first = post(url, body, HTTP_IDEMPOTENCY_KEY="once")
    second = post(url, body, HTTP_IDEMPOTENCY_KEY="once")

    assert first.json() == second.json()
    assert ProfileMerge.objects.count() == 1


def test_a_pair_is_merged_into_the_one_to_keep_and_closed(post, tenant):
    pair = make_duplicate()

    answer = post(f"/api/v1/duplicates/{pair.pk}/merge/", {"keep": "b", "picks": {}})

    assert answer.json()["customer"]["id"] == str(pair.profile_b_id)
    assert CustomerProfile.objects.get(pk=pair.profile_a_id).merged_into_id == pair.profile_b_id
    assert DuplicateCandidate.objects.get(pk=pair.pk).resolution == "MERGED"
    again = post(f"/api/v1/duplicates/{pair.pk}/merge/", {"keep": "a"})
    assert (again.status_code, again.json()["code"]) == (409, "already_merged")
    unmerge = {"mergeId": answer.json()["mergeId"]}
    assert post(f"{URL}{pair.profile_b_id}/unmerge/", unmerge).status_code == 200
    assert DuplicateCandidate.objects.get(pk=pair.pk).resolution == "PENDING"


def test_merging_needs_the_permission_and_the_scope(client, as_ben, tenant, key_for):
    ann, twin = make_customer(), make_customer()
    body = {"absorb": str(twin.pk)}

    readers = key_for(tenant, "customers:read")
    by_key = client.post(f"{URL}{ann.pk}/merge/", body, content_type="application/json", **readers)
    by_ben = as_ben.post(f"/{tenant.pk}{URL}{ann.pk}/merge/", body, content_type="application/json")

    assert (by_key.status_code, by_ben.status_code) == (403, 403)
    assert not ProfileMerge.objects.exists()
