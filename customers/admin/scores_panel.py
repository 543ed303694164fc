"""Why a customer's scores are what they are, and how they went, at the side of their page."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from crm_site.backoffice.shell import current_tenant
from customers.admin import charts
from customers.admin.cells import money
from customers.admin.panels import Panel, customer_panel
from customers.models import CustomerProfile
from customers.services.score_reading import (
    HISTORY_DAYS,
    Explanation,
    Reason,
    WeekOfScores,
    explain_scores,
    models_in_use,
    score_history,
    why_rule,
)


@dataclass(frozen=True)
class Line:
    """One score: its name, its value, what it is made of, and its trend."""

    title: str
    value: str
    reasons: tuple[Reason, ...]
    trend: SafeString
    note: str = ""


def explained(customer: CustomerProfile) -> Explanation:
    """Why the scores are so; the head of the page and its panel ask once between them."""
    known = vars(customer)
    if "explained_scores" not in known:
        is_scored = customer.engagement_score is not None
        known["explained_scores"] = (
            explain_scores(customer_id=customer.pk) if is_scored else Explanation()
        )
    found: Explanation = known["explained_scores"]
    return found


@customer_panel(permission="customers.view_customerscore")
def scores_panel(request: HttpRequest, customer: CustomerProfile) -> Panel | None:
    """None for who was never scored."""
    if customer.engagement_score is None:
        return None
    why = explained(customer)
    history = score_history(customer_id=customer.pk, now=timezone.now())
    may_look = request.user.has_perm("customers.view_scoremodel")
    more = reverse("admin:customers_scoremodel_changelist") if may_look else ""
    context = {"lines": list(_lines(request, customer, why, history)), "more": more}
    body = render_to_string("customers/scores_panel.html", context)
    return Panel("Scores, and why", "insights", body)


def _lines(
    request: HttpRequest, customer: CustomerProfile, why: Explanation, history: list[WeekOfScores]
) -> Iterator[Line]:
    today = timezone.localdate()
    engagement = charts.trend(history, "engagement", today=today, days=HISTORY_DAYS)
    nothing = "" if why.engagement else "Not here, and no message opened, for a long while."
    yield Line("Engagement", str(customer.engagement_score), why.engagement, engagement, nothing)
    if customer.churn_risk_score is None:
        yield Line("Churn risk", "–", (), SafeString(""), _why_no_risk(customer))
    else:
        risk = charts.trend(history, "churn_risk", today=today, days=HISTORY_DAYS)
        is_member = customer.membership_tier is not None
        note = why_rule(models_in_use(), is_member=is_member) if why.churn_by == "RULE" else ""
        yield Line("Churn risk", str(customer.churn_risk_score), why.churn, risk, note)
    tenant = current_tenant(request)
    if customer.predicted_ltv is not None and tenant is not None:
        said = (
            f"{money(why.spent_so_far, tenant.currency)} so far, and about "
            f"{money(why.spending_expected, tenant.currency)} expected within a year."
        )
        value = money(customer.predicted_ltv, tenant.currency)
        yield Line("Predicted lifetime value", value, (), SafeString(""), said)


def _why_no_risk(customer: CustomerProfile) -> str:
    has_left = customer.lifecycle_stage == "CHURNED"
    return "Has left already." if has_left else "Was never here to stay away, or long ago."
