"""Setting up the demo clubs, from opening the tenant to the work on the marketer's desk."""

from collections.abc import Callable, Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone

from campaigns.services.results import refresh_due_results
from crm_site.access.models import User
from crm_site.access.services import grant_membership
from crm_site.audit.actor import Actor, acting_as
from crm_site.devstack.demo.calendar import ZONE
from crm_site.devstack.demo.clubs import KINGFISHER, MILKWOOD, DemoTenant
from crm_site.devstack.demo.history import date_first_seen, live_through
from crm_site.devstack.demo.office import label_people, plan_ahead, write_notes
from crm_site.devstack.demo.past_messaging import messaging_of_the_past
from crm_site.devstack.demo.people import make_people
from crm_site.devstack.demo.plans import PAST_CAMPAIGNS, SEGMENTS, CampaignPlan
from crm_site.devstack.demo.staff import (
    DEMO_PASSWORD,
    FRONT_DESK,
    MANAGER,
    MARKETER,
    OWNER,
    StaffMember,
)
from crm_site.devstack.demo.story import tell as tell_story
from crm_site.devstack.refreshing import refresh_now
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Club, Tenant
from crm_site.tenancy.services import create_tenant
from customers.services.scoring import fill_history, score_customers
from journeys.models import Journey
from segments.models import CustomerSegment
from segments.services.authoring import save_segment

Tell = Callable[[str], None]
# Of the main club's customers the neighbour has so many: enough to see two clubs kept apart.
NEIGHBOUR_SHARE = 0.06


def is_seeded() -> bool:
    """Whether the demo stands whole: the last thing made is the second club's journey."""
    if not Tenant.objects.filter(pk=MILKWOOD.id).exists():
        return False
    with tenant_scope(MILKWOOD.id), transaction.atomic():
        return Journey.objects.exists()


def seed(*, customers: int, seed: int, today: date | None = None, tell: Tell) -> None:
    """Fill the demo clubs with ``customers`` people and a year of what they did, up to ``today``.

    One that was cut short goes on where it stopped, on the day it began: every step knows what it
    did already.
    """
    begun = Tenant.objects.filter(pk=KINGFISHER.id).first()
    today = today or (begun.created_at if begun else timezone.now()).astimezone(ZONE).date()
    neighbours = max(1, round(customers * NEIGHBOUR_SHARE))
    with messaging_of_the_past():
        seed_tenant(
            KINGFISHER, PAST_CAMPAIGNS, customers=customers, seed=seed, today=today, tell=tell
        )
        seed_tenant(
            MILKWOOD, PAST_CAMPAIGNS[:1], customers=neighbours, seed=seed, today=today, tell=tell
        )


def seed_tenant(
    club: DemoTenant,
    plans: Sequence[CampaignPlan],
    *,
    customers: int,
    seed: int,
    today: date,
    tell: Tell,
) -> None:
    """One club with its people, their year, its campaigns and the work ahead."""
    if not Tenant.objects.filter(pk=club.id).exists():
        create_tenant(
            tenant_id=club.id, name=club.name, time_zone="Africa/Johannesburg", currency="ZAR"
        )
    marketer, desk, manager, _ = (
        _hire(member, club) for member in (MARKETER, FRONT_DESK, MANAGER, OWNER)
    )
    people = make_people(club, count=customers, seed=seed, today=today)
    events = tell_story(club, people, today=today)
    tell(f"{club.name}: {len(people):,} people, {len(events):,} events of the past year.")
    with tenant_scope(club.id), acting_as(marketer):
        _open_houses(club)
        _make_segments(marketer)
        live_through(events, plans, today=today, actor=marketer, tell=tell)
        date_first_seen()
        label_people(people, actor=desk)
        write_notes(people, authors=(desk, manager))
        score_customers(now=timezone.now())
        fill_history(now=timezone.now())
        _refresh_segments()
        refresh_due_results(timezone.now())
        plan_ahead(today=today, actor=marketer)


def _hire(member: StaffMember, club: DemoTenant) -> Actor:
    """Give somebody a sign-in and a role at the club."""
    user = User.objects.filter(email=member.email).first()
    if user is None:
        user = User.objects.create_user(
            member.email,
            DEMO_PASSWORD,
            first_name=member.first_name,
            last_name=member.last_name,
        )
    with tenant_scope(club.id), transaction.atomic():
        grant_membership(user=user, role=member.role, actor=Actor.system("seed_demo"))
    return Actor.user(user.pk)


@transaction.atomic
def _open_houses(club: DemoTenant) -> None:
    for house in club.houses:
        Club.objects.get_or_create(
            external_id=house.external_id,
            defaults={
                "name": house.name,
                "latitude": house.latitude,
                "longitude": house.longitude,
            },
        )


@transaction.atomic
def _make_segments(actor: Actor) -> None:
    known = set(CustomerSegment.objects.live().values_list("name", flat=True))
    for plan in SEGMENTS:
        if plan.name not in known:
            segment = CustomerSegment(
                name=plan.name,
                description=plan.description,
                criteria=plan.criteria,
                refresh_frequency=plan.refresh_frequency,
            )
            save_segment(segment, actor=actor, now=timezone.now())


def _refresh_segments() -> None:
    with transaction.atomic():
        ids = list(CustomerSegment.objects.usable().values_list("pk", flat=True))
    for segment_id in ids:
        refresh_now(segment_id)
