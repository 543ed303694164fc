"""The pages of the review: a pair, any two customers, and when all are done."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.timesince import timesince

from crm_site.backoffice.people import names_of
from crm_site.errors import DomainError
from customers.admin.review.comparing import person_card
from customers.admin.review.decisions import RULINGS, last_decision, standing_merge
from customers.admin.review.evidence import (
    check_of,
    evidence_of,
    experience_of,
    sentence_of,
    tone_of,
)
from customers.admin.review.grouping import group_around
from customers.admin.review.proposing import SIDES, Couple, both_of, proposal_of
from customers.admin.review.queue import COUNT_UP_TO, FILTERS, Queue
from customers.admin.scans import last_scan
from customers.choices import CandidateKind, DuplicateResolution
from customers.models import CustomerProfile, DuplicateCandidate
from customers.services.merging import MergeError

MAY_DECIDE = "customers.merge_customerprofile"


def pair_page(model_admin: Any, request: HttpRequest, pair: DuplicateCandidate) -> HttpResponse:
    """Both beside each other, and what may be decided."""
    queue = Queue.of(request)
    couple = Couple(pair.profile_a, pair.profile_b, pair)
    place, total = queue.place(pair)
    context = {
        **around(model_admin, request, queue),
        **_both(couple, state_of(pair)),
        "title": f"{couple.first.name} and {couple.second.name}",
        "original": pair,
        "pair": pair,
        "evidence": evidence_of(pair),
        "sentence": sentence_of(pair),
        "check": check_of(pair),
        "tone": tone_of(pair),
        "is_family": pair.kind == CandidateKind.HOUSEHOLD,
        "group": group_around(pair, queue),
        "experience": experience_of(pair),
        "may_reopen": _way_back(pair),
        "place": place,
        "total": f"{total - 1:,}+" if total == COUNT_UP_TO else total,
        "next_url": queue.url_after(pair),
        "previous_url": queue.url(queue.previous(pair)) if place > 1 else "",
    }
    return TemplateResponse(request, "customers/review/pair.html", context)


def compare_page(
    model_admin: Any, request: HttpRequest, first: CustomerProfile, second: CustomerProfile
) -> HttpResponse:
    """The same for two whom somebody chose. Raises MergeError for one and the same customer."""
    if first == second:
        raise MergeError("Choose two different customers.")
    queue = Queue.of(request)
    pair = DuplicateCandidate.objects.between(first, second).first()
    if pair is not None:
        return HttpResponseRedirect(queue.url(pair.pk))
    gone = _gone(first, second)
    context = {
        **around(model_admin, request, queue),
        **_both(Couple(first, second), gone),
        "title": f"{first.name} and {second.name}",
    }
    return TemplateResponse(request, "customers/review/pair.html", context)


def preview(request: HttpRequest, couple: Couple) -> HttpResponse:
    """The columns, the result and what follows, as the form stands."""
    try:
        context = both_of(proposal_of(couple, request.POST))
    except MergeError as error:
        context = both_of(proposal_of(couple)) | {"refusal": error.message}
    survivor = context["plan"].survivor.name
    context |= {
        "may_decide": request.user.has_perm(MAY_DECIDE),
        "said": f"The result is renewed. {survivor} stays.",
    }
    return render(request, "customers/review/preview.html", context)


def start_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The first pair of the queue; a page that says so where nothing is left."""
    queue = Queue.of(request)
    first = queue.first()
    if first is not None:
        return HttpResponseRedirect(queue.url(first))
    context = {
        **around(model_admin, request, queue),
        **last_scan(request),
        "title": "Nothing left to review",
    }
    return TemplateResponse(request, "customers/review/done.html", context)


def around(model_admin: Any, request: HttpRequest, queue: Queue) -> dict[str, Any]:
    """What every page of the review has."""
    may_decide = request.user.has_perm(MAY_DECIDE)
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "filters_name": FILTERS,
        "filters": queue.query,
        "may_decide": may_decide,
        "last": last_decision(queue.actor) if may_decide else None,
    }


def state_of(pair: DuplicateCandidate) -> str:
    """Why there is nothing to decide here any more; "" where there is."""
    if pair.resolution != DuplicateResolution.PENDING:
        who = names_of([pair.resolved_by]).get(pair.resolved_by or "", "Somebody")
        when = f" {timesince(pair.resolved_at, depth=1)} ago" if pair.resolved_at else ""
        notes = f" “{pair.notes}”" if pair.notes else ""
        return f"{who} decided{when}: {pair.get_resolution_display().lower()}.{notes}"
    return _gone(pair.profile_a, pair.profile_b)


def _both(couple: Couple, state: str) -> dict[str, Any]:
    if not state:
        try:
            return both_of(proposal_of(couple))
        except DomainError as error:
            state = error.message
    people = [person_card(couple.of(side), side, survives=False) for side in SIDES]
    return {"state": state, "people": people, "plan": None}


def _gone(*customers: CustomerProfile) -> str:
    gone = [one.name for one in customers if not one.is_live]
    if not gone:
        return ""
    are = "is no longer a current customer" if len(gone) == 1 else "are no longer current customers"
    return f"{' and '.join(gone)} {are}, so there is nothing to decide."


def _way_back(pair: DuplicateCandidate) -> str:
    """What undoing the pair's decision is called by; "" where it cannot be undone here."""
    if pair.resolution in RULINGS:
        return f"ruling:{pair.pk}"
    merge = standing_merge(pair) if pair.resolution == DuplicateResolution.MERGED else None
    return f"merge:{merge.pk}" if merge else ""


def warn(request: HttpRequest, error: DomainError, more: str = "") -> None:
    messages.warning(request, f"{error.message} {more}".strip())
