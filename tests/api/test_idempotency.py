"""The same request twice is carried out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from crm_site.api.models import KeptAnswer
from crm_site.api.tasks import forget_answers
from customers.models import CustomerNote
from tests.factories import make_customer

URL = "/api/v1/notes/"


@pytest.fixture
def headers(tenant, key_for):
    return key_for(tenant, "customers:read", "customers:write")


@pytest.fixture
def post(client, headers):
    def send(body, key="k-1", url=URL, **more):
        sent = {**headers, "HTTP_IDEMPOTENCY_KEY": key, **more}
        return client.post(url, body, content_type="application/json", **sent)

    return send


@pytest.fixture
def body(tenant):
    return {"customerId": str(make_customer().pk), "content": "Prefers mornings."}


def test_a_repeat_gets_the_first_answer_and_writes_nothing(post, body):
    first, second = post(body), post(body)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert CustomerNote.objects.count() == 1


def test_the_same_key_with_another_body_is_409(post, body):
    post(body)
    answer = post({**body, "content": "Prefers evenings."})

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert CustomerNote.objects.count() == 1


def test_a_key_belongs_to_its_caller(post, body, key_for, tenant):
    post(body)
    post(body, **key_for(tenant, "customers:write"))

    assert CustomerNote.objects.count() == 2


def test_a_refused_request_leaves_its_key_free(post, body):
    refused = post({**body, "content": ""})
    answer = post(body)

    assert (refused.status_code, answer.status_code) == (400, 201)


def test_a_key_is_free_again_after_a_day(post, body):
    post(body)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    answer = post({**body, "content": "Prefers evenings."})

    assert answer.status_code == 201


def test_old_answers_are_removed(post, body, tenant):
    post(body)
    post(body, key="k-2")
    KeptAnswer.objects.filter(key="k-1").update(created_at=timezone.now() - timedelta(hours=25))

    assert forget_answers() == 1
    assert KeptAnswer.objects.get().key == "k-2"


def test_a_key_that_is_no_key_is_refused(post, body):
    answer = post(body, key="")

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "Idempotency-Key")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_carried_out_once(tenant, key_for):
    with transaction.atomic():
        customer = make_customer()
    headers = {**key_for(tenant, "customers:write"), "HTTP_IDEMPOTENCY_KEY": "k-1"}
    body = {"customerId": str(customer.pk), "content": "Prefers mornings."}

    def send(_):
        try:
            return Client().post(URL, body, content_type="application/json", **headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    with transaction.atomic():
        assert CustomerNote.objects.count() == 1
