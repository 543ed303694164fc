"""The doorbells of campaigns. What is due is worked out from rows."""

import time

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.dispatch import may_send, open_runs, send_due
from campaigns.services.lifecycle import start_due_campaign
from campaigns.services.recurring import open_due_runs
from campaigns.services.results import refresh_due_results
from campaigns.services.retention import forget_old_details
from campaigns.services.statistics import rebuild_active
from campaigns.services.trials import open_trials, send_trials
from campaigns.services.triggers import fire_due
from crm_site.access.services import tenant_in_scope
from crm_site.audit.actor import Actor
from crm_site.tenancy.celery import TenantTask
from crm_site.tenancy.context import local_settings, tenant_scope
from crm_site.tenancy.services import active_tenant_ids

# How long a worker stays with one tenant before it makes room for the next.
TURN_SECONDS = 10
# Workers of one tenant at once; the more, the more a big tenant's neighbours wait.
LANES = 2
# Longer than anything waits in the queue.
TURN_REMEMBERED_SECONDS = 3600


@shared_task(name="campaigns.start_due")
def start_due() -> int:
    """Every few seconds: start what is scheduled for now. Returns how many runs were opened."""
    opened = 0
    actor = Actor.system("campaigns.start_due")
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), local_settings(actor=actor.id):
            now = timezone.now()
            with transaction.atomic():
                due = list(Campaign.objects.due(now).values_list("pk", flat=True))
            for campaign_id in due:
                opened += bool(start_due_campaign(campaign_id=campaign_id, now=now, actor=actor))
            repeated = open_due_runs(now=now, actor=actor)
            answered = fire_due(now=now, actor=actor)
        opened += repeated
        if due or repeated or answered:
            ring(tenant_id)
    return opened


@shared_task(name="campaigns.dispatch_due")
def dispatch_due() -> int:
    """Every few seconds: send a worker to each tenant with open runs. Returns how many tenants."""
    rung = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id), transaction.atomic():
            has_trials = open_trials(timezone.now()).exists()
            has_work = may_send(tenant_in_scope(), timezone.now()) and bool(open_runs())
        if has_trials:
            dispatch_trials.delay(tenant_id)
        if has_work:
            ring(tenant_id)
            rung += 1
    return rung


def ring(tenant_id: str) -> None:
    """Ask for workers for one tenant, unless its lanes are taken already."""
    for lane in range(LANES):
        if cache.add(_lane_key(tenant_id, lane), "open", settings.DISPATCH_LANE_SECONDS):
            _queue_turn(tenant_id, lane)


def _queue_turn(tenant_id: str, lane: int) -> None:
    dispatch_tenant.delay(tenant_id, lane, time.time())


def ring_on_commit(tenant_id: str) -> None:
    """The same once the running transaction's rows can be seen: for the edges.

    With the broker away what was done stands all the same; the beat rings when it is back.
    """
    transaction.on_commit(lambda: ring(tenant_id), robust=True)


@shared_task(name="campaigns.dispatch_tenant", base=TenantTask)
def dispatch_tenant(tenant_id: str, lane: int = 0, queued_at: float | None = None) -> bool:
    """One turn for one tenant. Returns whether more is due; then it queues up again, at the end.

    Where the queue is longer than a lane lasts, a lane is asked for more than once. Whoever comes
    up first takes its turn; what was queued at ``queued_at`` (Unix seconds), before that turn, has
    nothing to do any more. Otherwise the queue would grow with every tick.
    """
    key, turn_key = _lane_key(tenant_id, lane), f"turn:{tenant_id}:{lane}"
    is_redelivered = (dispatch_tenant.request.delivery_info or {}).get("redelivered")
    was_taken = queued_at is not None and queued_at < cache.get(turn_key, 0.0)
    if was_taken and not is_redelivered:  # Redelivered: the turn was its own, and was killed.
        return False
    cache.set(turn_key, time.time(), TURN_REMEMBERED_SECONDS)
    # Waiting in the queue may have outlasted the lane; a turn ends well before it does.
    cache.set(key, "open", settings.DISPATCH_LANE_SECONDS)
    try:
        has_more = send_due(tenant_id, seconds=TURN_SECONDS)
    except BaseException:
        cache.delete(key)
        raise
    if has_more:
        _queue_turn(tenant_id, lane)
    else:
        cache.delete(key)
    return has_more


@shared_task(name="campaigns.dispatch_trials", base=TenantTask)
def dispatch_trials(tenant_id: str) -> int:
    """Send the test messages that wait. Returns how many."""
    return send_trials()


def ring_for_trials_on_commit(tenant_id: str) -> None:
    """Send tests promptly; with the broker away the beat does it."""
    transaction.on_commit(lambda: dispatch_trials.delay(tenant_id), robust=True)


@shared_task(name="campaigns.recount_active")
def recount_active() -> int:
    """Every minute: count what is under way from its rows. Returns how many campaigns."""
    counted = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            counted += rebuild_active()
    return counted


@shared_task(name="campaigns.refresh_results")
def refresh_results() -> int:
    """Every minute: add up the results of campaigns to which something happened, or whose goal may
    still be met. Returns how many campaigns."""
    refreshed = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            refreshed += refresh_due_results(timezone.now())
    return refreshed


@shared_task(name="campaigns.retain")
def retain() -> int:
    """Every hour: forget where and with what old messages were opened. Returns how many rows."""
    forgotten = 0
    for tenant_id in active_tenant_ids():
        with tenant_scope(tenant_id):
            forgotten += forget_old_details(now=timezone.now())
    return forgotten


def _lane_key(tenant_id: str, lane: int) -> str:
    return f"dispatch:{tenant_id}:{lane}"
