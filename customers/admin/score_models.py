"""How scores are made: what was learned from this club, when, how well it foretells; and again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from crm_site.audit.actor import Actor
from crm_site.backoffice.formats import ago
from crm_site.backoffice.jobs import JobAdmin
from crm_site.backoffice.options import ReadOnlyTenantAdmin
from crm_site.backoffice.shell import current_tenant
from crm_site.errors import DomainError
from crm_site.jobs.services import request_job
from crm_site.jobs.tasks import nudge_on_commit
from customers.admin import charts
from customers.admin.cells import money
from customers.choices import ScoreModelKind
from customers.models import ScoreModel, ScoreTraining
from customers.services.score_reading import models_in_use

TRAIN = "customers.train_scoremodel"
FEATURES = {
    "silence": "How long since they were last here",
    "year": "How often they came in a year",
    "slowing": "Coming less than in the 90 days before",
    "breadth": "Playing, competing and buying",
    "attention": "Messages opened and clicked",
    "tenure": "Years of membership",
    "rhythm": "Visits expected by their own rhythm",
}
UNTRAINED = "Nothing was learned yet."


@dataclass(frozen=True)
class Card:
    """One score, or what it rests on."""

    title: str
    icon: str
    text: str
    is_learned: bool
    state: str
    reason: str = ""
    facts: list[tuple[str, str, str]] = field(default_factory=list)
    drawing: SafeString | str = ""
    caption: str = ""
    weights: list[tuple[str, str]] = field(default_factory=list)


@admin.register(ScoreModel)
class ScoreModelAdmin(ReadOnlyTenantAdmin):
    """One page for all of it instead of a list of versions."""

    ordering = ("-trained_at", "-pk")
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        train = self.admin_site.admin_view(require_POST(self.train_view))
        return [path("train/", train, name="customers_scoremodel_train"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        models = models_in_use()
        newest = max((model.trained_at for model in models.values()), default=None)
        training = ScoreTraining.objects.order_by("-requested_at").first()
        is_training = training is not None and training.is_open
        runs: Any = self.admin_site._registry[ScoreTraining]
        shows = training is not None and (is_training or training.status != "SUCCESS")
        context = {
            **self.admin_site.each_context(request),
            "title": "How scores are made",
            "opts": self.opts,
            "trained_at": ago(newest) if newest else "",
            "cards": list(_cards(request, models)),
            "job": runs.panel(request, training) if shows else "",
            "is_training": is_training,
            "may_train": request.user.has_perm(TRAIN),
            "train_url": reverse("admin:customers_scoremodel_train"),
        }
        return render(request, "customers/score_models.html", context)

    def train_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(TRAIN):
            raise PermissionDenied
        try:
            nudge_on_commit(request_job(ScoreTraining, actor=Actor.from_request(request)))
        except DomainError as error:
            messages.warning(request, error.message)
        return HttpResponseRedirect(reverse("admin:customers_scoremodel_changelist"))


@admin.register(ScoreTraining)
class ScoreTrainingAdmin(JobAdmin):
    list_display = ("__str__", "status")
    cancel_permission = TRAIN


def _cards(request: HttpRequest, models: dict[str, ScoreModel]) -> Iterator[Card]:
    yield Card(
        "Engagement",
        "local_fire_department",
        "0 to 100: up to 30 for how lately somebody was here, 35 for how often in 90 days of play, "
        "15 for playing, competing and buying, 20 for messages opened and clicked. What the club "
        "sends counts for nothing.",
        is_learned=True,
        state="In use",
    )
    yield _season(models.get(ScoreModelKind.SEASON))
    yield _churn(
        "Churn risk of members",
        "card_membership",
        "How likely a member is not to renew. After the expiry date a rule of thumb speaks.",
        models.get(ScoreModelKind.CHURN_MEMBERS),
        "did not renew",
    )
    yield _churn(
        "Churn risk of visitors",
        "directions_walk",
        "How likely somebody who plays without a membership is not to come back.",
        models.get(ScoreModelKind.CHURN_PLAYERS),
        "did not come back",
    )
    yield _value(request, models.get(ScoreModelKind.VALUE))


def _season(model: ScoreModel | None) -> Card:
    is_learned = model is not None and model.is_usable
    weights = model.parameters["weights"] if model is not None and is_learned else []
    return Card(
        "The club's season",
        "sunny_snowing",
        "A week in which the club was quiet last year counts for less, so that nobody sinks "
        "because the course was closed. “90 days of play” reach back over it.",
        is_learned=is_learned,
        state="In use" if is_learned else "Every week counts the same",
        reason=_reason(model),
        drawing=charts.season(weights) if weights else "",
        caption="What each of the past 52 weeks counts, the latest on the right.",
    )


def _spoken(day: str) -> str:
    return date_format(date.fromisoformat(day), "j F Y")


def _churn(title: str, icon: str, text: str, model: ScoreModel | None, deed: str) -> Card:
    if model is None or not model.is_usable:
        return Card(title, icon, text, False, "By a rule of thumb", _reason(model))
    found = model.metrics
    months = round(found["horizonDays"] / 30.4)
    facts = [
        ("People learned from", f"{model.people_count:,}", ""),
        ("Looks ahead", f"{months} months", ""),
        (
            "Tried on",
            f"{found['people']:,} people",
            f"as they were on {_spoken(found['since'])}, of whom {found['left']:,} {deed}",
        ),
        (
            "AUC",
            f"{found['auc']:.2f}",
            "the chance that of two people the one who left had the higher risk; 0.50 is a guess",
        ),
        (
            "Brier score",
            f"{found['brier']:.3f}",
            f"lower is better; telling everybody the average gives {found['baseBrier']:.3f}",
        ),
    ]
    return Card(
        title,
        icon,
        text,
        True,
        f"Learned, version {model.version}",
        facts=facts,
        drawing=charts.calibration(found["calibration"]),
        caption="In fifths of the risk foretold: expected and what happened. On the line is right.",
        weights=list(_weights(model)),
    )


def _weights(model: ScoreModel) -> Iterator[tuple[str, str]]:
    pairs = zip(model.parameters["names"], model.parameters["weights"], strict=True)
    for name, weight in sorted(pairs, key=lambda pair: -abs(pair[1])):
        strength = (
            "strongly" if abs(weight) > 0.7 else "clearly" if abs(weight) > 0.25 else "a little"
        )
        way = "raises" if weight > 0 else "lowers"
        if abs(weight) > 0.02:
            yield FEATURES.get(name, name), f"{way} the risk {strength}"


def _value(request: HttpRequest, model: ScoreModel | None) -> Card:
    text = (
        "What somebody spent so far and is expected to spend within a year: visitors by how often "
        "and how much they paid, members as in the year past, if they stay."
    )
    title, icon = "Predicted lifetime value", "payments"
    if model is None or not model.is_usable:
        return Card(title, icon, text, False, "Not given", _reason(model))
    facts = [("People learned from", f"{model.people_count:,}", "")]
    tenant, found = current_tenant(request), model.metrics
    if found and tenant is not None:
        days = found["horizonDays"]
        error, spent = (money(found[name], tenant.currency) for name in ("meanError", "meanSpent"))
        facts += [
            ("Off by", error, f"a person on average over {days} days, where {spent} were spent"),
        ]
        if found.get("expectedShare"):
            facts.append(
                ("Expected of what was spent", f"{found['expectedShare']:.0%}", "in total")
            )
    return Card(title, icon, text, True, f"Learned, version {model.version}", facts=facts)


def _reason(model: ScoreModel | None) -> str:
    return UNTRAINED if model is None else model.reason
