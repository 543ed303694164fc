"""Scores that can be explained: how engaged, how likely to leave, what they will be worth."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.services import create_tenant
from customers.choices import ScoreModelKind
from customers.models import Activity, CustomerProfile, CustomerScore, ScoreModel
from customers.services.score_reading import explain_scores, score_history
from customers.services.score_training import train_models
from customers.services.scoring import fill_history, score_customers
from tests.factories import make_customer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CATEGORIES = {
    "ROUND_PLAYED": "BOOKING",
    "COMPETITION_RESULT": "GOLF",
    "PAYMENT_RECEIVED": "FINANCIAL",
    "MESSAGE_OPENED": "ENGAGEMENT",
    "MESSAGE_CLICKED": "ENGAGEMENT",
}


def did(customer, kind, *days_ago, now=NOW, **values):
    return [
        Activity(
            customer=customer,
            type=kind,
            category=CATEGORIES.get(kind, "MEMBERSHIP"),
            title="Something",
            source_service="scl",
            occurred_at=now - timedelta(days=days),
            **values,
        )
        for days in days_ago
    ]


def does(customer, kind, *days_ago, **values):
    Activity.objects.bulk_create(did(customer, kind, *days_ago, **values))


def paid(customer, cents, *days_ago):
    does(customer, "PAYMENT_RECEIVED", *days_ago, metadata={"amount": str(cents)})


def scores(customer):
    customer.refresh_from_db()
    return customer.engagement_score, customer.churn_risk_score


def points(reasons):
    return {reason.name: reason.points for reason in reasons}


def test_a_keen_member_is_engaged_and_no_risk(tenant):
    keen = make_customer(membership_tier="Full", membership_expiry="2027-10-01")
    does(keen, "ROUND_PLAYED", *range(0, 24, 2))
    does(keen, "COMPETITION_RESULT", 4)
    does(keen, "MESSAGE_CLICKED", 1, 3, 5, 7)
    paid(keen, 5000, 2)

    score_customers(now=NOW)

    assert scores(keen) == (100, 0)


def test_every_score_says_why_and_the_points_add_up(tenant):
    player = make_customer()
    does(player, "ROUND_PLAYED", 5, 12, 19, 26)
    does(player, "COMPETITION_RESULT", 19)
    does(player, "MESSAGE_OPENED", 3)

    score_customers(now=NOW)

    why = explain_scores(customer_id=player.pk)
    assert points(why.engagement) == {
        "recency": 29, "frequency": 12, "breadth": 10, "attention": 3
    }  # fmt: skip
    assert [reason.words for reason in why.engagement] == [
        "last here on 17 November 2026",
        "four visits in 90 days of play: four rounds, one competition",
        "plays and competes",
        "opened one message in 90 days",
    ]
    assert scores(player)[0] == 54 == sum(reason.points for reason in why.engagement)


def test_with_too_little_history_a_rule_of_thumb_says_who_may_leave(tenant):
    silent = make_customer(membership_tier="Full", membership_expiry="2026-12-10")
    does(silent, "ROUND_PLAYED", 105, 120, 130, 150)

    score_customers(now=NOW)

    why = explain_scores(customer_id=silent.pk)
    assert points(why.churn) == {"silence": 22, "slowing": 30, "membership": 15}
    assert why.churn_by == "RULE"
    assert scores(silent)[1] == 67
    silent.refresh_from_db()
    assert silent.predicted_ltv is None
    models = ScoreModel.objects.order_by("kind")
    assert [(model.kind, model.is_usable) for model in models] == [
        ("CHURN_MEMBERS", False), ("CHURN_PLAYERS", False), ("SEASON", False), ("VALUE", False)
    ]  # fmt: skip
    assert all(model.reason for model in models)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (0, None)),  # A lead: nothing to lose.
        ({"membership_tier": "Full", "lifecycle_stage": "CHURNED"}, (0, None)),  # Gone already.
        ({"membership_tier": "Full", "membership_expiry": "2026-01-01"}, (0, 70)),
    ],
)
def test_who_has_nothing_to_leave_has_no_risk(tenant, values, expected):
    customer = make_customer(**values)

    score_customers(now=NOW)

    assert scores(customer) == expected


def test_what_the_club_did_counts_for_nothing(tenant):
    told = make_customer()
    does(told, "MESSAGE_SENT", 1, 2, 3)
    does(told, "MEMBERSHIP_UPDATED", 1)

    score_customers(now=NOW)

    assert scores(told) == (0, None)
    assert not CustomerScore.objects.exists()


def test_a_club_that_is_closed_in_winter_sinks_nobody(tenant, other_tenant):
    """One club closes from October to April, the other plays all year; two players alike."""
    spring = datetime(2026, 4, 6, 10, tzinfo=UTC)
    last_day = (spring - datetime(2025, 10, 3, 10, tzinfo=UTC)).days

    def a_player_and_the_club(months):
        player = make_customer()
        does(player, "ROUND_PLAYED", *range(last_day, last_day + 60, 6), now=spring)
        others = make_customer()
        days = [back for back in range(1, 1000) if (spring - timedelta(days=back)).month in months]
        does(others, "ROUND_PLAYED", *days, now=spring)
        score_customers(now=spring)
        player.refresh_from_db()
        return player.engagement_score, explain_scores(customer_id=player.pk)

    seasonal, why = a_player_and_the_club({4, 5, 6, 7, 8, 9})
    with tenant_scope(other_tenant.pk):
        all_year, _ = a_player_and_the_club(range(1, 13))

    assert points(why.engagement)["recency"] >= 25
    assert points(why.engagement)["frequency"] >= 26
    assert all_year < 10 < 50 < seasonal
    assert ScoreModel.objects.get(kind=ScoreModelKind.SEASON).is_usable


def test_only_changed_rows_are_written_and_only_in_one_tenant(tenant, other_tenant):
    with tenant_scope(other_tenant.pk):
        stranger = make_customer()
        does(stranger, "ROUND_PLAYED", 1)
    for _ in range(3):
        does(make_customer(), "ROUND_PLAYED", 1)

    first = score_customers(now=NOW)
    with CaptureQueriesContext(connection) as queries:
        again = score_customers(now=NOW)

    assert (first, again) == (3, 0)
    assert CustomerScore.objects.count() == 3
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) < 15
    with tenant_scope(other_tenant.pk):
        assert CustomerProfile.objects.get(pk=stranger.pk).engagement_score is None
    assert not explain_scores(customer_id=stranger.pk).engagement


def test_the_trend_has_a_row_for_each_week_that_changed_something(tenant):
    player = make_customer()
    does(player, "ROUND_PLAYED", 1, 30, 60)
    for weeks in (3, 2, 0):
        score_customers(now=NOW - timedelta(weeks=weeks))

    history = score_history(customer_id=player.pk, now=NOW)

    assert [week.week for week in history] == [
        date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 16)
    ]  # fmt: skip
    assert history[-1].engagement == scores(player)[0]


def test_a_trend_can_begin_with_the_past(tenant):
    player = make_customer()
    does(player, "ROUND_PLAYED", *range(80, 200, 10))

    fill_history(now=NOW, weeks=20)
    score_customers(now=NOW)

    history = score_history(customer_id=player.pk, now=NOW)
    assert max(week.engagement for week in history[:-1]) > history[-1].engagement
    assert all(week.churn_risk is None for week in history[:-1])
    assert history[-1].churn_risk is not None


# A club with a past to learn from


def a_club_with_a_past(*, members=300, players=420, seed=5):
    """Three years: who will leave comes less before; the keen stay. Visits cost 300 to 900."""
    dice = random.Random(seed)
    deeds = []
    for n in range(members + players):
        is_member = n < members
        leaves = dice.random() < 0.45
        gone = dice.randint(40, 800) if leaves else -30
        since = dice.randint(900, 1100)
        membership = {
            "membership_tier": "Full",
            "member_since": (NOW - timedelta(days=since * dice.randint(1, 9))).date(),
            "membership_expiry": (NOW + timedelta(days=365 - gone % 365)).date(),
        }
        customer = make_customer(**(membership if is_member else {}))
        day = since
        pace = 60 if leaves else 20
        while (day := day - max(3, round(dice.expovariate(1 / pace)))) > max(gone, 0):
            if day < gone + 150 and dice.random() < 0.75:
                continue  # Coming less, before staying away.
            deeds += did(customer, "ROUND_PLAYED", day)
            deeds += did(
                customer,
                "PAYMENT_RECEIVED",
                day,
                metadata={"amount": str(dice.randint(300, 900) * 100)},
            )
        if not is_member:
            continue
        due = gone if leaves else gone + 365
        for back in range(due + (365 if leaves else 0), since, 365):
            start = (NOW - timedelta(days=back)).date()
            deeds += did(customer, "MEMBERSHIP_RENEWED", back + 5,
                         metadata={"from": start.isoformat()})  # fmt: skip
        if leaves:
            ended = (NOW - timedelta(days=gone)).date()
            deeds += did(customer, "MEMBERSHIP_LAPSED", gone,
                         metadata={"effectiveOn": ended.isoformat()})  # fmt: skip
            customer.lifecycle_stage = "CHURNED"
            customer.membership_expiry = ended
            customer.save(update_fields=["lifecycle_stage", "membership_expiry"])
    Activity.objects.bulk_create(deeds)


@pytest.fixture(scope="module")
def club(django_db_setup, django_db_blocker):
    """A club that learned from its past and scored once, for all tests below; taken back after."""
    with django_db_blocker.unblock(), transaction.atomic():
        tenant = create_tenant(
            tenant_id="longpast", name="Long Past", time_zone="Africa/Johannesburg", currency="ZAR"
        )
        with tenant_scope(tenant.pk):
            a_club_with_a_past()
            score_customers(now=NOW)
            with transaction.atomic():
                yield tenant
        transaction.set_rollback(True)


def test_models_learn_from_the_club_and_beat_the_base_rate(club):
    for kind in (ScoreModelKind.CHURN_MEMBERS, ScoreModelKind.CHURN_PLAYERS):
        kept = ScoreModel.objects.get(kind=kind)
        assert kept.is_usable, kept.reason
        assert kept.metrics["auc"] > 0.65
        assert kept.metrics["brier"] < kept.metrics["baseBrier"]
        assert len(kept.metrics["calibration"]) == 5
        assert kept.people_count > 100
    value = ScoreModel.objects.get(kind=ScoreModelKind.VALUE)
    assert value.is_usable, value.reason
    assert 0.5 < value.metrics["expectedShare"] < 2
    with tenant_scope("another"):
        assert not ScoreModel.objects.exists()


def test_a_learned_risk_says_why_and_adds_up(club):
    at_risk = CustomerProfile.objects.filter(churn_risk_score__isnull=False)
    assert at_risk.count() > 200
    for customer in at_risk[:60]:
        why = explain_scores(customer_id=customer.pk)
        assert why.churn_by == "MODEL"
        assert sum(reason.points for reason in why.churn) == customer.churn_risk_score
        assert all(reason.words for reason in why.churn)
        assert 0 <= customer.churn_risk_score <= 100


def test_scoring_again_changes_nothing(club):
    rows = list(CustomerScore.objects.order_by("pk").values())

    assert score_customers(now=NOW) == 0
    assert list(CustomerScore.objects.order_by("pk").values()) == rows


def test_who_keeps_coming_is_worth_more_than_who_does_not(club):
    payers = CustomerProfile.objects.filter(membership_tier=None, predicted_ltv__isnull=False)
    last_seen = dict(
        Activity.objects.values_list("customer").annotate(Max("occurred_at")).order_by()
    )
    keen, gone = [], []
    for customer in payers:
        days = (NOW - last_seen[customer.pk]).days
        expected = explain_scores(customer_id=customer.pk).spending_expected
        if days < 30 or days > 400:
            (keen if days < 30 else gone).append(expected)

    assert min(len(keen), len(gone)) > 20
    assert sum(keen) / len(keen) > 5 * sum(gone) / len(gone)


def test_learning_anew_makes_the_next_version_and_keeps_the_last(tenant):
    train_models(now=NOW)

    train_models(now=NOW + timedelta(days=1))

    versions = ScoreModel.objects.filter(kind=ScoreModelKind.VALUE).order_by("version")
    assert [model.version for model in versions] == [1, 2]
