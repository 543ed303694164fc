"""Every resource of the API, found by its routes, and how to make one row of it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from campaigns.models import CampaignInteraction, EventPromotion
from crm_site.audit.models import CrmAuditLog
from crm_site.tenancy.models import Club
from customers.models import DuplicateScan
from journeys.models import Journey
from segments.models import SegmentTrial
from social.models import SocialConnection, SocialPost
from tests import factories
from tests.campaigns import builders

_numbers = itertools.count(1)


def make_audit_entry():
    return CrmAuditLog.objects.create(
        entity_type="Campaign", entity_id="1", action="START", performed_by="user:test"
    )


def make_scan():
    """One that has ended: a club has one under way at most."""
    return DuplicateScan.objects.create(requested_by="user:test", status="SUCCESS")


def make_journey():
    name = f"Welcome {next(_numbers)}"
    return Journey.objects.create(name=name, trigger_type="MANUAL", created_by="user:test")


def make_connection():
    return SocialConnection.objects.create(
        platform="FACEBOOK",
        account_id=str(next(_numbers)),
        account_name="Oakhill",
        access_token="never shown",
        connected_by="user:test",
    )


def make_post():
    return SocialPost.objects.create(
        connection=make_connection(), content="Open day", created_by="user:test"
    )


def make_interaction():
    return CampaignInteraction.objects.create(
        campaign=builders.make_campaign(),
        customer=factories.make_customer(),
        channel="EMAIL",
        type="OPENED",
    )


def make_trial():
    return SegmentTrial.objects.create(
        question={"model": "LAPSE", "size": 10}, requested_by="user:test"
    )


def make_promotion():
    club = Club.objects.create(name=f"Course {next(_numbers)}")
    return EventPromotion.objects.create(
        club=club, source_type="SPECIAL", source_id=str(club.pk), created_by="user:test"
    )


MAKERS: dict[str, Callable[[], Any]] = {
    "activities": factories.make_activity,
    "audit-log": make_audit_entry,
    "campaigns": builders.make_campaign,
    "customers": factories.make_customer,
    "customers/import": factories.make_import,
    "duplicates": factories.make_duplicate,
    "duplicates/scan": make_scan,
    "exports": factories.make_export,
    "interactions": make_interaction,
    "journeys": make_journey,
    "notes": factories.make_note,
    "promotions": make_promotion,
    "segment-trials": make_trial,
    "segments": builders.make_segment,
    "social/connections": make_connection,
    "social/posts": make_post,
    "sync-log": factories.make_sync_log,
}


@dataclass(frozen=True)
class Resource:
    """``path`` as under /api/v1/; ``actions`` by method of the list; ``lists`` within one row."""

    path: str
    viewset: Any
    methods: frozenset[str]
    lists: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"/api/v1/{self.path}/"

    def scope(self, verb: str) -> str:
        named = getattr(self.viewset, f"{verb}_scope", None)
        return named or f"{self.viewset.scope}:{verb}"

    def __str__(self) -> str:
        return self.path


def _routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        route = prefix + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from _routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and hasattr(entry.callback, "actions"):
            yield route.removeprefix("api/v1/"), entry.callback


def all_resources() -> list[Resource]:
    """Every resource that has a list, with the lists within one of its rows."""
    routes = list(_routes(get_resolver().url_patterns))
    found = []
    for route, callback in routes:
        if callback.actions.get("get") != "list" or "pk" in route:
            continue
        path = route.removesuffix("/$")
        within = tuple(
            other.removeprefix(f"{path}/(?P<pk>[^/.]+)/").removesuffix("/$")
            for other, inner in routes
            if other.startswith(f"{path}/(?P<pk>[^/.]+)/")
            and getattr(getattr(inner.cls, inner.actions.get("get", ""), None), "answers_page", 0)
        )
        found.append(Resource(path, callback.cls, frozenset(callback.actions), within))
    return sorted(found, key=str)
