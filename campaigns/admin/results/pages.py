"""The pages of a campaign's results, and their tab."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from campaigns.admin.results import drawing, words
from campaigns.admin.results.files import as_csv
from campaigns.admin.results.links import page, people
from campaigns.admin.results.tables import labels, tables
from campaigns.choices import Dimension
from campaigns.models import Campaign, CampaignBreakdown, CampaignResults
from campaigns.services.comparing import FEWEST, MOST, campaigns_to_compare
from campaigns.services.people_behind import STEPS, people_behind
from campaigns.services.results import refresh_results
from crm_site.backoffice.formats import ago
from crm_site.backoffice.options import LazyTab
from crm_site.backoffice.shell import current_tenant
from crm_site.errors import DomainError
from customers.admin.cells import money
from customers.models import CustomerProfile

PEOPLE_A_PAGE = 50
OFFERED = 20
SEE_CUSTOMERS = "customers.view_customerprofile"
# Added up while one waits; a bigger campaign is left to the tick.
MOST_AT_ONCE = 50_000


class ResultsTab(LazyTab):
    """Who did what with it, taken apart; every number opens the people behind it."""

    name = "results"
    title = "Results"
    template_name = "campaigns/results/tab.html"

    def is_visible(self, request: HttpRequest) -> bool:
        return self.obj.started_at is not None  # type: ignore[attr-defined]

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        campaign: Any = self.obj
        found = CampaignResults.objects.filter(campaign=campaign).first()
        common = {
            "campaign": campaign,
            "found": found,
            "recount_url": page(campaign, "recount"),
            "goal": words.goal_in_words(campaign),
        }
        if found is None:
            return common
        tenant: Any = current_tenant(request)
        tone, verdict = words.verdict(campaign, found)
        return common | {
            "counted": ago(found.counted_at),
            "tone": tone,
            "verdict": verdict,
            "converted_url": people(campaign, "CONVERTED"),
            "held_out_url": people(campaign, "HELD_OUT"),
            "compared": words.compared(campaign, found),
            "revenue": money(found.revenue, tenant.currency) if found.revenue else "",
            "hours": drawing.hours(campaign),
            "tables": tables(campaign),
            "csv_url": page(campaign, "csv"),
            "compare_url": f"{reverse('admin:campaigns_campaign_compare')}?ids={campaign.pk}",
        }


class ResultsPages:
    """Addresses beside a campaign's page. For its admin."""

    admin_site: Any

    def results_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "campaigns_campaign"
        one = "<uuid:object_id>"
        return [
            path("compare/", view(require_GET(self.compare_view)), name=f"{name}_compare"),
            path(f"{one}/behind/", view(require_GET(self.behind_view)), name=f"{name}_behind"),
            path(f"{one}/results.csv", view(require_GET(self.csv_view)), name=f"{name}_csv"),
            path(f"{one}/recount/", view(require_POST(self.recount_view)), name=f"{name}_recount"),
        ]

    def behind_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The people behind one number, a page of them, in an order that never shifts."""
        campaign = self._seen(request, object_id)
        if not request.user.has_perm(SEE_CUSTOMERS):
            raise PermissionDenied
        step = request.GET.get("step", "")
        names = {each.value.lower(): each for each in Dimension}
        by = {names[key]: value for key, value in request.GET.dict().items() if key in names}
        try:
            after = UUID(request.GET["after"]) if "after" in request.GET else None
            ids = people_behind(campaign, step=step, by=by, after=after, most=PEOPLE_A_PAGE + 1)
        except (DomainError, ValueError) as error:
            raise Http404 from error
        shown = ids[:PEOPLE_A_PAGE]
        rows = CustomerProfile.objects.filter(pk__in=shown).defer("search_vector").order_by("pk")
        more = urlencode({**request.GET.dict(), "after": shown[-1]}) if shown else ""
        context = self._context(request) | {
            "title": f"{STEPS[step]}: {campaign.name}",
            "campaign": campaign,
            "step": STEPS[step],
            "narrowed": [f"{each.label}: {_called(each, value)}" for each, value in by.items()],
            "customers": rows,
            "more": f"?{more}" if len(ids) > PEOPLE_A_PAGE else "",
            "is_first": after is None,
            "back": f"{page(campaign, 'change')}#dataset-results",
        }
        return render(request, "campaigns/results/people.html", context)

    def csv_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        campaign = self._seen(request, object_id)
        name = slugify(campaign.name) or "campaign"
        return HttpResponse(
            as_csv(campaign),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}-results.csv"'},
        )

    def recount_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Add up anew, now."""
        campaign = self._seen(request, object_id)
        if campaign.sent_count > MOST_AT_ONCE:
            CampaignResults.objects.filter(campaign=campaign).update(counted_from={})
            messages.info(request, "It is being added up; look again in a minute or two.")
        else:
            refresh_results(campaign.pk)
            messages.success(request, "Added up from every message, just now.")
        return HttpResponseRedirect(f"{page(campaign, 'change')}#dataset-results")

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Two to five campaigns beside each other; with fewer, a choice of them."""
        campaigns: QuerySet[Any] = self.get_queryset(request)  # type: ignore[attr-defined]
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        ids, refusal, chosen = request.GET.getlist("ids"), "", []
        try:
            chosen = campaigns_to_compare(ids, campaigns)
        except DomainError as error:
            refusal = error.message if len(ids) > 1 else ""
        started = campaigns.filter(started_at__isnull=False)
        tenant: Any = current_tenant(request)
        context = self._context(request) | {
            "title": "Campaigns beside each other",
            "chosen": chosen,
            "lines": _lines(chosen, tenant.currency),
            "refusal": refusal,
            "offered": started.order_by("-created_at", "-id")[:OFFERED],
            "ticked": set(ids),
            "fewest": FEWEST,
            "most": MOST,
        }
        return render(request, "campaigns/results/compare.html", context)

    def _seen(self, request: HttpRequest, object_id: UUID) -> Campaign:
        campaign: Campaign = self.get_object_or_404(request, str(object_id))  # type: ignore[attr-defined]
        if not self.has_view_permission(request, campaign):  # type: ignore[attr-defined]
            raise PermissionDenied
        return campaign

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**admin.site.each_context(request), "opts": Campaign._meta}


def _called(dimension: Dimension, value: str) -> str:
    row = CampaignBreakdown(dimension=dimension, value=value)
    return labels(dimension, [row])[value]


def _lines(campaigns: list[Campaign], currency: str) -> list[dict[str, Any]]:
    """One line per figure, a cell per campaign: words, an address, the share as a bar's width."""
    counted = [
        ("Sent", "sent_count", "", "SENT"),
        ("Delivered", "delivered_count", "delivery_rate", "DELIVERED"),
        ("Opened", "opened_count", "open_rate", "OPENED"),
        ("Clicked", "clicked_count", "click_rate", "CLICKED"),
        ("Goal met", "converted_count", "conversion_rate", "CONVERTED"),
        ("Unsubscribed", "unsubscribed_count", "", "UNSUBSCRIBED"),
        ("Bounced", "bounced_count", "", "BOUNCED"),
    ]
    lines: list[dict[str, Any]] = []
    for title, count, rate, step in counted:
        cells = []
        for each in campaigns:
            share = getattr(each, rate) if rate else None
            cells.append(
                {
                    "count": getattr(each, count),
                    "url": people(each, step),
                    "share": share,
                    "width": round(100 * min(share or 0.0, 1.0)),
                }
            )
        lines.append({"title": title, "cells": cells})
    if any(_results(each) and _results(each).revenue for each in campaigns):
        worth = [money(getattr(_results(each), "revenue", None), currency) for each in campaigns]
        lines.append({"title": "Worth", "cells": [{"words": each} for each in worth]})
    return lines


def _results(campaign: Campaign) -> Any:
    return getattr(campaign, "results", None)
