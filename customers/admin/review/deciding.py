"""What the review writes: rulings, merges, and taking either back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from customers.admin.review.comparing import fingerprint
from customers.admin.review.pages import MAY_DECIDE
from customers.admin.review.proposing import Couple, Proposal, proposal_of
from customers.admin.review.queue import Queue
from customers.choices import DuplicateResolution
from customers.models import DuplicateCandidate, ProfileMerge
from customers.services.duplicates import (
    DuplicateError,
    merge_pair,
    reopen_duplicate,
    resolve_duplicate,
)
from customers.services.merging import Merged, MergeError, merge_profiles
from customers.services.unmerging import unmerge_profiles

RULINGS = {
    "not-duplicate": DuplicateResolution.NOT_DUPLICATE,
    "ignore": DuplicateResolution.IGNORED,
}
MAX_NOTES = 1000


def rule(request: HttpRequest, pair: DuplicateCandidate) -> HttpResponse:
    """Not a duplicate, or to be left alone; on to the next pair."""
    require(request)
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


def merge(request: HttpRequest, couple: Couple) -> HttpResponse:
    """As the form says; on to the next pair, or to the customer who is left."""
    require(request)
    queue = Queue.of(request)
    proposal = proposal_of(couple, request.POST)
    try:
        with transaction.atomic():
            merged = _merge(request, proposal)
    except _ChangedError as error:
        messages.warning(request, error.message)
        return HttpResponseRedirect(_here(queue, couple))
    except DomainError as error:
        if couple.pair is None:
            messages.warning(request, error.message)
            return HttpResponseRedirect(_page_of(couple.first.pk))
        messages.warning(request, f"{error.message} Here is the next pair.")
        return HttpResponseRedirect(queue.url_after(couple.pair))
    if couple.pair is not None:
        return HttpResponseRedirect(queue.url_after(couple.pair))
    messages.success(request, f"Merged into {merged.survivor.name}, keeping everything.")
    return HttpResponseRedirect(_page_of(merged.survivor.pk))


class _ChangedError(DomainError):
    """What was looked at is not what would be merged."""


def _merge(request: HttpRequest, proposal: Proposal) -> Merged:
    if fingerprint(proposal.plan().fields) != request.POST.get("seen", ""):
        raise _ChangedError("One of the two has changed since you opened this page. Look again.")
    actor, pair = Actor.from_request(request), proposal.couple.pair
    if pair is not None:
        return merge_pair(
            pair=pair, keep="a" if proposal.survivor == "first" else "b", picks=proposal.picks,
            actor=actor, is_first=True,
        )  # fmt: skip
    return merge_profiles(
        survivor_id=proposal.survivor_id, absorbed_id=proposal.absorbed_id,
        picks=proposal.picks, actor=actor,
    )  # fmt: skip


def undo(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Take back one ruling or one merge; its pair is there again."""
    require(request)
    kind, _, pk = request.POST.get("decision", "").partition(":")
    if kind == "merge":
        return _undo_merge(request, pk)
    pair = model_admin.get_object_or_404(request, pk)
    try:
        reopen_duplicate(pair=pair)
        messages.success(request, "Taken back. The pair is to review again.")
    except DuplicateError as error:
        messages.warning(request, error.message)
    return HttpResponseRedirect(Queue.of(request).url(pair.pk))


def _undo_merge(request: HttpRequest, pk: str) -> HttpResponse:
    merges = ProfileMerge.objects.select_related("survivor", "absorbed")
    merge: ProfileMerge = get_object_or_404(merges, pk=_uuid(pk))
    try:
        with transaction.atomic():
            undone = unmerge_profiles(merge_id=merge.pk, actor=Actor.from_request(request))
        told = undone.sentences or ["Both customers are as they were."]
        messages.success(request, " ".join(["The merge is undone.", *told]))
    except MergeError as error:
        messages.warning(request, error.message)
    pair = DuplicateCandidate.objects.between(merge.survivor, merge.absorbed).first()
    if "back" in request.POST and url_has_allowed_host_and_scheme(request.POST["back"], None):
        return HttpResponseRedirect(request.POST["back"])
    if pair is not None:
        return HttpResponseRedirect(Queue.of(request).url(pair.pk))
    return HttpResponseRedirect(_page_of(merge.survivor_id))


def require(request: HttpRequest) -> None:
    if request.method != "POST" or not request.user.has_perm(MAY_DECIDE):
        raise PermissionDenied


def _here(queue: Queue, couple: Couple) -> str:
    if couple.pair is not None:
        return queue.url(couple.pair.pk)
    name = "admin:customers_duplicatecandidate_compare"
    return reverse(name, args=[couple.first.pk, couple.second.pk])


def _page_of(pk: UUID) -> str:
    return reverse("admin:customers_customerprofile_change", args=[pk])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
