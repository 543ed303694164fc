"""Two customers with rows in every table that may name one, and what the whole database holds."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from campaigns.models import CampaignInteraction, CampaignRun, Delivery, TriggerFiring
from customers.models import (
    Activity,
    CustomerExport,
    CustomerImport,
    CustomerProfile,
    CustomerScore,
    DuplicateCandidate,
    IdentityAlias,
    ImportChange,
    Tagging,
    TaggingTarget,
)
from customers.services.activities import create_activity
from customers.services.merging import merge_profiles
from customers.services.unmerging import unmerge_profiles
from journeys.models import Journey, JourneyEnrollment, JourneyEnrollmentStep, JourneyStep
from segments.models import MessagingMember
from segments.services.membership import change_members
from tests.campaigns.builders import ACTOR, make_campaign, make_recipient
from tests.factories import make_customer, make_note, make_segment, make_sync_log


@dataclass
class Pair:
    survivor: CustomerProfile
    absorbed: CustomerProfile
    both: object  # A segment that both are in.
    only: object  # One that only the absorbed customer is in.
    journey: Journey  # Both are under way in it.

    def merge(self, **picks):
        return merge_profiles(
            survivor_id=self.survivor.pk, absorbed_id=self.absorbed.pk, picks=picks, actor=ACTOR
        ).merge


def unmerge(merge):
    return unmerge_profiles(merge_id=merge.pk, actor=ACTOR)


def make_pair() -> Pair:
    """Ann and her second profile, with every kind of row and every kind of clash."""
    survivor = make_recipient(
        first_name="Ann", email="ann@example.com", scl_member_id=1042, city=None, tags=["vip"]
    )
    absorbed = make_recipient(
        first_name="Annie", email="a.lee@example.com", phone_number="+27825550101",
        teetime_player_id="P-7", city="Durban", tags=["early"], latitude=-29.858681,
        longitude=31.021839, handicap="12.4", external_ids={"golfRsaId": "2710045"},
        source_times={"teetime": {"handicap": 1_763_793_000_000_000}}, sms_opt_in=True,
    )  # fmt: skip
    _give_own_rows(survivor, absorbed)
    both, only = (make_segment(type="STATIC", criteria=None) for _ in range(2))
    now = timezone.now()
    change_members(segment=both, add=[survivor.pk, absorbed.pk], actor=ACTOR, now=now)
    change_members(segment=only, add=[absorbed.pk], actor=ACTOR, now=now)
    MessagingMember.objects.create(segment=both, customer_id=absorbed.pk)
    journey = _enroll(survivor, absorbed)
    _send(survivor, absorbed)
    return Pair(reload(survivor), reload(absorbed), both, only, journey)


def reload(profile: CustomerProfile) -> CustomerProfile:
    return CustomerProfile.objects.get(pk=profile.pk)


def _give_own_rows(survivor, absorbed) -> None:
    for customer in (survivor, absorbed):
        create_activity(
            customer_id=customer.pk, actor=ACTOR, type="TEETIME_BOOKED", category="BOOKING",
            title="Booked a tee time", occurred_at=timezone.now() - timedelta(days=3),
        )  # fmt: skip
        make_note(customer)
    IdentityAlias.objects.create(customer=absorbed, type="EMAIL", value="annie@example.com")
    # Somebody's alias is what the absorbed customer shows: it leads to the survivor from then on.
    IdentityAlias.objects.create(customer=make_customer(), type="EMAIL", value=absorbed.email)
    first, second, third = make_customer(), make_customer(), make_customer()
    for one, other, resolution in (
        (survivor, absorbed, "PENDING"),
        (survivor, first, "NOT_DUPLICATE"),
        (absorbed, first, "PENDING"),
        (absorbed, second, "PENDING"),
        (absorbed, third, "IGNORED"),
    ):
        profile_a, profile_b = sorted((one, other), key=lambda row: row.pk)
        DuplicateCandidate.objects.create(
            profile_a=profile_a, profile_b=profile_b, match_type="email", match_score=80,
            match_fields={}, resolution=resolution,
        )  # fmt: skip
    make_sync_log(customer_id=absorbed.pk)
    job = CustomerImport.objects.create(kind="IMPORT", plan={}, requested_by=ACTOR.id)
    ImportChange.objects.create(job=job, customer=absorbed, changes={})
    tagging = Tagging.objects.create(tag="vip", requested_by=ACTOR.id)
    TaggingTarget.objects.create(tagging=tagging, customer_id=absorbed.pk)
    CustomerExport.objects.create(
        kind="PERSON", format="ZIP", customer=absorbed, requested_by=ACTOR.id
    )
    CustomerScore.objects.create(
        customer=absorbed, week=timezone.localdate(), engagement_score=40, parts={}
    )
    # Merged before, both ways: into the absorbed customer, and the absorbed one for a moment.
    merge_profiles(survivor_id=absorbed.pk, absorbed_id=make_customer().pk, actor=ACTOR)
    undone = merge_profiles(
        survivor_id=make_recipient(sms_opt_in=True).pk, absorbed_id=absorbed.pk, actor=ACTOR
    )
    unmerge(undone.merge)


def _enroll(survivor, absorbed) -> Journey:
    journeys = [
        Journey.objects.create(name=name, trigger_type="MANUAL", created_by="user:test")
        for name in ("Welcome", "Lapsed", "Birthday")
    ]
    step = JourneyStep.objects.create(journey=journeys[0], step_number=1, type="SEND")
    for customer, journey, status in (
        (survivor, journeys[0], "ACTIVE"),
        (absorbed, journeys[0], "ACTIVE"),
        (survivor, journeys[1], "COMPLETED"),
        (absorbed, journeys[1], "ACTIVE"),
        (absorbed, journeys[2], "ACTIVE"),
    ):
        enrollment = JourneyEnrollment.objects.create(
            journey=journey, customer=customer, status=status
        )
        if journey is journeys[0]:
            visit = JourneyEnrollmentStep.objects.create(enrollment=enrollment, step=step)
            _deliver(customer, "PENDING", journey_visit_id=visit.pk)
    return journeys[0]


def _send(survivor, absorbed) -> None:
    for ours, theirs in (("PENDING", "PENDING"), ("PENDING", "ACCEPTED"), (None, "ACCEPTED")):
        campaign = make_campaign(survivor, absorbed)
        run = CampaignRun.objects.create(
            campaign=campaign, occurrence_at=timezone.now(), created_by=ACTOR.id
        )
        if ours:
            _deliver(survivor, ours, run=run, campaign=campaign)
        delivery = _deliver(absorbed, theirs, run=run, campaign=campaign)
        CampaignInteraction.objects.create(
            campaign=campaign, customer=absorbed, delivery=delivery, channel="EMAIL", type="OPENED"
        )
    TriggerFiring.objects.create(
        campaign=campaign, customer=absorbed, due_at=timezone.now(),
        activity=Activity.objects.filter(customer=absorbed).first(),
    )  # fmt: skip


def _deliver(customer, state, **values) -> Delivery:
    return Delivery.objects.create(
        customer=customer, channel="EMAIL", state=state, due_at=timezone.now(),
        idempotency_key=f"key-{Delivery.objects.count()}", **values,
    )  # fmt: skip


TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
# The log of what was done, the record of the merge itself, and whom segments are to look at again.
RECORDS = {
    *("audit_crmauditlog", "customers_profilemerge", "customers_profilemergestep"),
    "segments_segmentrecheck",
}


def dump() -> dict[str, list[str]]:
    """Every row of every table of the tenant in scope, byte for byte."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            if table not in RECORDS:
                cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY id::text')
                found[table] = [row for (row,) in cursor.fetchall()]
    return found


POINTERS = """
SELECT con.conrelid::regclass::text, att.attname
  FROM pg_constraint con
  JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = con.conkey[1]
 WHERE con.contype = 'f' AND con.confrelid = 'customers_customerprofile'::regclass
UNION
SELECT c.relname, a.attname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind = 'r'
   AND (a.attname LIKE '%customer_id' OR a.attname LIKE '%profile_id')
ORDER BY 1, 2
"""


def pointers() -> list[tuple[str, str]]:
    """(table, column) of everything that names a customer, checked by the database or not."""
    with connection.cursor() as cursor:
        cursor.execute(POINTERS)
        return cursor.fetchall()


def rows_of(table: str, column: str, customer: CustomerProfile) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT id::text FROM "{table}" WHERE {column} = %s', [customer.pk])
        return {row for (row,) in cursor.fetchall()}
