"""What waits for a person: what they may see, and only what there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from campaigns.choices import CampaignStatus, RunStatus
from campaigns.models import Campaign, CampaignRun
from campaigns.services.approving import waiting_for
from crm_site.access.services import limit_to_grants
from crm_site.audit.actor import Actor
from crm_site.dashboard.links import list_link
from customers.choices import SyncStatus
from customers.models import DuplicateCandidate, SyncLog
from segments.choices import RefreshStatus
from segments.models import CustomerSegment

COUNT_UP_TO = 100
STALE_AFTER = timedelta(hours=2)


@dataclass(frozen=True)
class Task:
    """Something that waits for a person."""

    text: str
    link: str | None
    icon: str


def waiting_tasks(request: HttpRequest, now: datetime) -> list[Task]:
    """The most urgent first."""
    user = request.user
    found = (_events(user), _duplicates(user), _campaigns(user), _segments(user, now))
    return [task for tasks in found for task in tasks if task is not None]


def _events(user: Any) -> Iterator[Task | None]:
    if user.has_perm("customers.view_synclog"):
        failed = SyncLog.objects.filter(status=SyncStatus.FAILED)
        link = list_link("customers_synclog", "status__exact=FAILED")
        one, many = "event could not be processed", "events could not be processed"
        yield _task(failed, one, many, link, "error")


def _duplicates(user: Any) -> Iterator[Task | None]:
    if user.has_perm("customers.merge_customerprofile"):
        link = list_link("customers_duplicatecandidate")
        one, many = "possible duplicate to look at", "possible duplicates to look at"
        yield _task(DuplicateCandidate.objects.pending(), one, many, link, "person_search")


def _campaigns(user: Any) -> Iterator[Task | None]:
    if not user.has_perm("campaigns.launch_campaign"):
        return
    if user.has_perm("campaigns.approve_campaign"):
        asked = waiting_for(Actor.user(user.pk))
        link = list_link("campaigns_campaign", "waits=approval")
        one, many = "campaign waits for your approval", "campaigns wait for your approval"
        yield _task(asked, one, many, link, "how_to_reg")
    missed = CampaignRun.objects.filter(status=RunStatus.MISSED)
    link = list_link("campaigns_campaignrun", "status__exact=MISSED")
    yield _task(missed, "campaign missed its time", "campaigns missed their time", link, "schedule")
    campaigns = limit_to_grants(Campaign.objects.live(), user)
    paused = campaigns.filter(status=CampaignStatus.PAUSED)
    link = list_link("campaigns_campaign", "status__exact=PAUSED")
    yield _task(paused, "campaign is paused", "campaigns are paused", link, "pause_circle")


def _segments(user: Any, now: datetime) -> Iterator[Task | None]:
    if not user.has_perm("segments.change_customersegment"):
        return
    segments = limit_to_grants(CustomerSegment.objects.usable(), user)
    link = list_link("segments_customersegment")
    broken = segments.filter(broken_reason__isnull=False)
    one = "segment has rules that can no longer be read"
    many = "segments have rules that can no longer be read"
    yield _task(broken, one, many, link, "rule")
    held = segments.filter(refreshes__status=RefreshStatus.HELD)
    one = "segment would change by over half and waits for you"
    many = "segments would change by over half and wait for you"
    yield _task(held, one, many, link, "groups")
    stale = segments.filter(next_refresh_at__lt=now - STALE_AFTER)
    one = "segment is waiting for its refresh"
    many = "segments are waiting for their refresh"
    yield _task(stale, one, many, link, "update")


def _task(rows: Any, one: str, many: str, link: str | None, icon: str) -> Task | None:
    number = rows[: COUNT_UP_TO + 1].count()
    if not number:
        return None
    shown = f"{COUNT_UP_TO}+" if number > COUNT_UP_TO else str(number)
    return Task(f"{shown} {one if number == 1 else many}", link, icon)
