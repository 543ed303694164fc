"""A whole life at a club, with something personal in each table that could hold it."""

import json
from datetime import timedelta
from urllib.parse import quote_plus

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from campaigns.models import CampaignBreakdown, CampaignInteraction, TrialMessage
from crm_site.access.models import User
from crm_site.api.models import KeptAnswer
from crm_site.audit.actor import Actor
from crm_site.backoffice.models import SavedView
from crm_site.files.services import keep_file
from crm_site.tenancy.base import TenantModel
from crm_site.tenancy.context import local_settings
from customers.models import (
    BulkMerge,
    BulkMergePair,
    CustomerImport,
    CustomerProfile,
    CustomerScore,
    IdentityAlias,
    ImportChange,
    Tagging,
    TaggingTarget,
)
from customers.services.belongings import belongings
from customers.services.merging import merge_profiles
from customers.services.notes import add_note, change_note
from customers.services.profiles import update_profile
from journeys.models import Journey, JourneyEnrollment, JourneyEnrollmentStep, JourneyStep
from segments.models import MessagingMember, SegmentRecheck
from segments.services.membership import change_members
from tests.campaigns.builders import consent, make_started, send_all
from tests.customers.conftest import event
from tests.factories import make_customer, make_duplicate, make_export, make_segment

MARK = "zanzibar"
EMAIL, PHONE = f"{MARK}@example.org", "+27825550199"
PERSON = {"authUserId": f"auth-{MARK}", "email": EMAIL, "phoneNumber": "082 555 0199"}

# Text that is not about a person, or by which a repeat of an event is known.
SAYS_NOTHING = {
    *("id", "tenant_id", "created_by", "updated_by", "type", "category", "channel", "status"),
    *("source_service", "event_type", "event_id", "payload_hash", "source", "state", "reason"),
    *("template_id", "idempotency_key", "message_id", "match_type", "resolution", "resolved_by"),
    *("replaced_by", "lifecycle_stage", "link_id", "device_type", "country", "exit_reason"),
    "remote_id",
}


def live_through(process, marker=MARK, **person):
    """One person's life through the doors: events, notes, a campaign, a journey, a pair."""
    said = {**PERSON, **person}
    [row, *_] = process(
        event("scl", "member.created", customer={**said, "firstName": marker, "city": marker}),
        event("teetime", "booking.created", customer=said, course=marker),
        event("messaging", "contactPreference.updated", customer=said, channel="EMAIL",
              optedIn=True, changedAt=timezone.now().isoformat(), source=marker),
        event("scl", "payment.received", customer=said, amount=1000, reference=marker),
        event("scl", "member.updated", customer={**said, "phoneNumber": "no number"}),
        event("scl", "nobody.knows", customer=said),
    )  # fmt: skip
    ann = CustomerProfile.objects.get(pk=row.customer_id)
    update_profile(customer_id=ann.pk, values={"city": f"New {marker}"}, actor=Actor("user:1"))
    note = add_note(customer_id=ann.pk, content=f"About {marker}", actor=Actor("user:1"))
    change_note(note_id=note.pk, content=f"More of {marker}", actor=Actor("user:1"))
    add_note(customer_id=ann.pk, content=marker, actor=Actor("user:2"), is_private=True)
    alias = IdentityAlias.objects.create(customer=ann, type="EMAIL", value=f"old.{said['email']}")
    alias.delete()  # Its entries in the audit log are still there.
    IdentityAlias.objects.create(customer=ann, type="EMAIL", value=f"new.{said['email']}")
    double = make_customer(first_name="Ann", email=f"twin.{said['email']}", city=marker)
    merge_profiles(survivor_id=ann.pk, absorbed_id=double.pk, actor=Actor("user:1"))
    first, second = sorted((ann, make_customer()), key=lambda each: each.pk)
    make_duplicate_of(first, second, marker)
    KeptAnswer.objects.create(
        caller="key:1", path="/api/v1/customers/", key=marker, body_hash="0", status=201,
        body=json.dumps({"id": str(ann.pk), "firstName": marker}),
    )  # fmt: skip
    travel(ann, marker)
    import_them(ann, marker)
    work_on(ann, double, marker)
    return ann


def import_them(customer, marker):
    file = keep_file(
        purpose="customer-import", name=f"{marker}.csv", chunks=[marker.encode()],
        actor=Actor("user:1"), keep_for=timedelta(days=7), now=timezone.now(),
    )  # fmt: skip
    job = CustomerImport.objects.create(
        kind="IMPORT", status="SUCCESS", file=file, file_name="people.csv", plan={},
        requested_by="user:1",
    )  # fmt: skip
    changes = {"city": {"old": marker, "new": "Paarl"}}
    ImportChange.objects.create(job=job, customer=customer, changes=changes)


def work_on(customer, absorbed, marker):
    """Their place in long work, in exports, in lists and in what Messaging was told."""
    merges = BulkMerge.objects.create(min_score=90, requested_by="user:1", status="SUCCESS")
    BulkMergePair.objects.create(
        job=merges, position=0, survivor_id=customer.pk, absorbed_id=absorbed.pk, refusal=marker
    )
    tagging = Tagging.objects.create(tag="vip", requested_by="user:1", status="SUCCESS")
    TaggingTarget.objects.create(tagging=tagging, customer_id=customer.pk)
    CustomerScore.objects.create(
        customer=customer, week="2026-11-16", engagement_score=7, parts={"of": marker}
    )
    make_export(kind="PERSON", format="ZIP", customer=customer, status="SUCCESS")
    make_export(filters={"q": [EMAIL]}, status="SUCCESS")
    keeper, _ = User.objects.get_or_create(email="keeper@club.test")
    SavedView.objects.create(
        list_name="customers.customerprofile", name=marker, owner=keeper,
        query=f"o=1&q={quote_plus(EMAIL)}", columns=[],
    )  # fmt: skip
    segment = make_segment(type="STATIC", criteria=None, messaging_segment_id="seg-7")
    change_members(segment=segment, add=[customer.pk], actor=Actor("user:1"), now=timezone.now())
    MessagingMember.objects.create(segment=segment, remote_id="seg-7", customer_id=customer.pk)
    SegmentRecheck.objects.create(customer=customer, reads=["city"])


def write_to_them(customer, marker=MARK):
    """A campaign, and a click that says where they were, on a link made for them."""
    consent(customer, email_opt_in=True)  # The stricter consent won when they were merged.
    campaign = make_started(customer)
    send_all()
    link = f"{marker}0"  # As the first click is marked.
    TrialMessage.objects.create(
        campaign=campaign, channel="EMAIL", template_id="welcome", recipient_name="Staff",
        address="staff@club.test", variables={"firstName": marker}, state="ACCEPTED",
        requested_by="user:1",
    )  # fmt: skip
    CampaignBreakdown.objects.create(campaign=campaign, dimension="LINK", value=link, clicked=1)
    CampaignInteraction.objects.create(
        campaign=campaign, customer=customer, channel="EMAIL", type="CLICKED",
        link_url=link, user_agent=marker, ip_address="203.0.113.77",
    )  # fmt: skip


def make_duplicate_of(first, second, marker):
    made = make_duplicate(match_fields={"email": {"agreement": "exact"}})
    type(made).objects.filter(pk=made.pk).update(profile_a=first, profile_b=second, notes=marker)


def travel(customer, marker):
    journey = Journey.objects.create(
        name=f"Welcome {Journey.objects.count()}", trigger_type="MANUAL", created_by="user:1"
    )
    step = JourneyStep.objects.create(journey=journey, step_number=1, type="END")
    enrollment = JourneyEnrollment.objects.create(
        journey=journey, customer=customer, trigger_data={"of": marker}
    )
    JourneyEnrollmentStep.objects.create(enrollment=enrollment, step=step, result={"of": marker})


def rows_of(customer):
    """Every row about this person, by model: of tables that name them, and what hangs on these."""
    theirs = {CustomerProfile: CustomerProfile.objects.filter(pk=customer.pk)}
    for each in belongings():
        if each.model is not CustomerProfile:
            rows = each.model.objects.filter(**{each.field: customer.pk})
            theirs[each.model] = theirs.get(each.model, rows) | rows
    for model in apps.get_models():
        if not issubclass(model, TenantModel) or model in theirs:
            continue
        parents = [f for f in model._meta.concrete_fields if f.related_model in theirs]
        named = [Q(**{f"{f.name}__in": theirs[f.related_model]}) for f in parents]
        if named:
            theirs[model] = model.objects.filter(Q.create(named, connector=Q.OR))
    return theirs


def mark_every_column(customer, marker=MARK):
    """Write the marker into each column of their rows that could hold something about them."""
    found = {model: list(rows) for model, rows in rows_of(customer).items()}
    for model, rows in found.items():
        for number, row in enumerate(rows):
            values = {
                field.name: mark
                for field in model._meta.concrete_fields
                if (mark := mark_for(field, f"{marker}{number}")) is not None
            }
            if not values:
                continue
            with local_settings(audit="off"):
                model.objects.filter(pk=row.pk).update(**values)


def mark_for(field, mark):
    if field.column in SAYS_NOTHING or field.choices or field.name == "search_vector":
        return None
    if isinstance(field, models.JSONField):
        return {"marked": mark}
    if isinstance(field, models.GenericIPAddressField):
        return "203.0.113.77"
    if isinstance(field, models.EmailField):
        return EMAIL
    if isinstance(field, ArrayField):
        return [mark] if isinstance(field.base_field, models.CharField) else None
    is_text = isinstance(field, models.CharField | models.TextField)
    return mark[: field.max_length] if is_text else None


def dump():
    """Every row of every table as text, as the tenant in scope sees them, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t ORDER BY 1')
            found[table] = [text for (text,) in cursor.fetchall()]
        return found


def tables_with(words):
    return {
        (table, word)
        for table, rows in dump().items()
        for row in rows
        for word in words
        if word.lower() in row.lower()
    }
