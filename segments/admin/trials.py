"""Trying a model from the form: asked for, followed, and told in plain words."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.jobs.models import JobStatus
from crm_site.jobs.tasks import nudge_on_commit
from segments.forms import read_question
from segments.models import SegmentTrial
from segments.services.smart_words import quality_sentence
from segments.services.trials import request_trial


def try_model(request: HttpRequest) -> HttpResponse:
    """POST with the form's fields: a trial of what they ask, as a fragment that follows it."""
    if request.method != "POST" or not request.user.has_perm("segments.add_customersegment"):
        raise PermissionDenied
    try:
        question = read_question(request.POST)
        job = request_trial(
            question=question, actor=Actor.from_request(request), now=timezone.now()
        )
    except DomainError as error:
        return _answer(request, {"refused": error.message})
    if job.is_open:
        nudge_on_commit(job)
    return follow(request, job.pk)


def follow(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far a trial is and, once it has ended, what came of it."""
    if not request.user.has_perm("segments.view_customersegment"):
        raise PermissionDenied
    job = SegmentTrial.objects.filter(pk=pk).first()
    if job is None:
        raise Http404
    context: dict[str, Any] = {"job": job, "percent": round(job.progress * 100)}
    if job.is_open:
        name = "admin:segments_customersegment_trial"
        context["follow_url"] = reverse(name, args=[job.pk])
    elif job.status == JobStatus.SUCCESS and job.quality:
        context["quality"] = quality_sentence(job.question["model"], job.quality)
    else:
        context["refused"] = job.error or "It was cancelled."
    return _answer(request, context)


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "admin/segments/trial.html", context)
