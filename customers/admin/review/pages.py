"""The pages of the review: a pair, what is decided about it, and when all are done."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timesince import timesince

from crm_site.audit.actor import Actor
from crm_site.backoffice.people import names_of
from crm_site.errors import DomainError
from customers.admin.review.comparing import person_card, rows_of
from customers.admin.review.decisions import last_ruling
from customers.admin.review.evidence import evidence_of, sentence_of, tone_of
from customers.admin.review.queue import COUNT_UP_TO, FILTERS, Queue
from customers.choices import DuplicateResolution
from customers.models import DuplicateCandidate
from customers.services.duplicates import DuplicateError, reopen_duplicate, resolve_duplicate

MAY_DECIDE = "customers.merge_customerprofile"
RULINGS = {
    "not-duplicate": DuplicateResolution.NOT_DUPLICATE,
    "ignore": DuplicateResolution.IGNORED,
}
MAX_NOTES = 1000


def pair_page(model_admin: Any, request: HttpRequest, pair: DuplicateCandidate) -> HttpResponse:
    """Both beside each other, and what may be decided."""
    queue = Queue.of(request)
    first, second = pair.profile_a, pair.profile_b
    place, total = queue.place(pair)
    context = {
        **_around(model_admin, request, queue),
        "title": f"{first.name} and {second.name}",
        "subtitle": "Possible duplicates",
        "original": pair,
        "pair": pair,
        "people": [person_card(first), person_card(second)],
        "rows": rows_of(first, second),
        "evidence": evidence_of(pair),
        "sentence": sentence_of(pair),
        "tone": tone_of(pair),
        "state": _state(request, pair),
        "place": place,
        "total": f"{total}+" if total == COUNT_UP_TO else total,
        "next_url": queue.url_after(pair),
        "previous_url": queue.url(queue.previous(pair)) if place > 1 else "",
    }
    return TemplateResponse(request, "customers/review/pair.html", context)


def start_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The first pair of the queue; a page that says so where nothing is left."""
    queue = Queue.of(request)
    first = queue.first()
    if first is not None:
        return HttpResponseRedirect(queue.url(first))
    context = {**_around(model_admin, request, queue), "title": "Nothing left to review"}
    return TemplateResponse(request, "customers/review/done.html", context)


def rule(request: HttpRequest, pair: DuplicateCandidate) -> HttpResponse:
    """Not a duplicate, or to be left alone; on to the next pair."""
    _require(request)
    queue = Queue.of(request)
    resolution = RULINGS.get(request.POST.get("ruling", ""))
    if resolution is None:
        raise Http404
    notes = request.POST.get("notes", "").strip()[:MAX_NOTES] or None
    actor = Actor.from_request(request)
    try:
        resolve_duplicate(pair=pair, resolution=resolution, notes=notes, actor=actor, is_first=True)
    except DuplicateError as error:
        messages.warning(request, f"{error.message} Here is the next pair.")
    return HttpResponseRedirect(queue.url_after(pair))


def undo(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Take back one decision; its pair is there again."""
    _require(request)
    _kind, _, pk = request.POST.get("decision", "").partition(":")
    pair = model_admin.get_object_or_404(request, pk)
    try:
        with transaction.atomic():
            reopen_duplicate(pair=pair)
        messages.success(request, "Taken back. The pair is to review again.")
    except DomainError as error:
        messages.warning(request, error.message)
    return HttpResponseRedirect(Queue.of(request).url(pair.pk))


def _around(model_admin: Any, request: HttpRequest, queue: Queue) -> dict[str, Any]:
    """What every page of the review has."""
    may_decide = request.user.has_perm(MAY_DECIDE)
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "filters_name": FILTERS,
        "filters": queue.query,
        "may_decide": may_decide,
        "last": last_ruling(queue.actor) if may_decide else None,
    }


def _state(request: HttpRequest, pair: DuplicateCandidate) -> str:
    """Why there is nothing to decide here any more; "" where there is."""
    gone = [one.name for one in (pair.profile_a, pair.profile_b) if not one.is_live]
    if pair.resolution != DuplicateResolution.PENDING:
        who = names_of([pair.resolved_by]).get(pair.resolved_by or "", "Somebody")
        when = timesince(pair.resolved_at, depth=1) if pair.resolved_at else ""
        return f"{who} decided {when} ago: {pair.get_resolution_display().lower()}."
    if gone:
        return (
            f"{' and '.join(gone)} is no longer a current customer, so nothing is left to decide."
        )
    return ""


def _require(request: HttpRequest) -> None:
    if request.method != "POST" or not request.user.has_perm(MAY_DECIDE):
        raise PermissionDenied
