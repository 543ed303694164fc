"""Scores where people and programs see them: the customer page, how they are made, the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import ScoreModel, ScoreTraining
from customers.services.scoring import score_customers
from tests.factories import make_activity, make_customer


@pytest.fixture
def player(tenant):
    player = make_customer()
    for days in (3, 10, 17):
        make_activity(
            customer=player, type="ROUND_PLAYED", occurred_at=timezone.now() - timedelta(days=days)
        )
    score_customers(now=timezone.now() - timedelta(weeks=1))
    score_customers(now=timezone.now())
    player.refresh_from_db()
    return player


def test_the_api_says_why_and_how_it_went(client, key_for, tenant, other_tenant, player):
    url = f"/api/v1/customers/{player.pk}/scores/"

    found = client.get(url, **key_for(tenant, "customers:read"))

    told = found.json()
    assert told["engagementScore"] == sum(part["points"] for part in told["engagementReasons"])
    assert told["engagementReasons"][0]["words"].startswith("last here on ")
    assert (told["churnRiskScore"], told["churnRiskBy"]) == (player.churn_risk_score, "RULE")
    assert len(told["history"]) == 2
    assert told["predictedLtv"] is None
    strange = client.get(url, **key_for(other_tenant, "customers:read"))
    assert strange.status_code == 404
    assert client.get(url, **key_for(tenant, "segments:read")).status_code == 403


def test_the_customer_page_shows_the_points_and_the_trend(as_ann, player):
    page = as_ann.get(f"/oakhill/admin/customers/customerprofile/{player.pk}/change/")

    shown = page.content.decode()
    assert "Scores, and why" in shown
    assert "three visits in 90 days of play: three rounds" in shown
    assert "crm-trend" in shown
    assert "By a rule of thumb." in shown


def test_how_scores_are_made_says_what_is_missing(as_ann, player):
    page = as_ann.get("/oakhill/admin/customers/scoremodel/")

    shown = page.content.decode()
    assert page.status_code == 200
    for model in ScoreModel.objects.all():
        assert model.reason.split("’")[0][:20] in shown


def test_who_may_asks_for_learning_once_at_a_time(as_ann, as_ben, player):
    url = "/oakhill/admin/customers/scoremodel/train/"

    assert as_ben.post(url).status_code == 403
    for _ in range(2):
        assert as_ann.post(url).status_code == 302

    assert ScoreTraining.objects.count() == 1
    page = as_ann.get("/oakhill/admin/customers/scoremodel/")
    assert "Waiting for its turn" in page.content.decode()
