"""Rows for tests: plain functions with sensible defaults, made in the tenant in scope."""

import itertools

from django.utils import timezone

from customers.choices import ActivityCategory
from customers.models import (
    Activity,
    CustomerExport,
    CustomerImport,
    CustomerNote,
    CustomerProfile,
    DuplicateCandidate,
    SyncLog,
)
from segments.models import CustomerSegment

_numbers = itertools.count(1)


def make_customer(**values) -> CustomerProfile:
    number = next(_numbers)
    defaults = {
        "first_name": "Ann",
        "last_name": f"Lee {number}",
        "email": f"ann{number}@example.com",
    }
    return CustomerProfile.objects.create(**(defaults | values))


def make_activity(**values) -> Activity:
    defaults = {
        "type": "TEETIME_BOOKED",
        "category": ActivityCategory.BOOKING,
        "title": "Booked a tee time",
        "source_service": "teetime",
        "source_event_id": f"event-{next(_numbers)}",
        "occurred_at": timezone.now(),
    }
    customer = values.pop("customer", None) or make_customer()
    return Activity.objects.create(customer=customer, **(defaults | values))


def make_note(customer: CustomerProfile | None = None, **values) -> CustomerNote:
    defaults = {"content": "Prefers early tee times.", "created_by": "user:test"}
    return CustomerNote.objects.create(customer=customer or make_customer(), **(defaults | values))


def make_duplicate(**values) -> DuplicateCandidate:
    """Two customers who may be one; ``people=(one, other)`` in any order."""
    people = values.pop("people", None) or (make_customer(), make_customer())
    profile_a, profile_b = sorted(people, key=lambda row: row.pk)
    defaults = {"match_type": "email", "match_score": 90, "match_fields": {"email": {}}}
    return DuplicateCandidate.objects.create(
        profile_a=profile_a, profile_b=profile_b, **(defaults | values)
    )


def make_export(**values) -> CustomerExport:
    defaults = {"kind": "LIST", "format": "CSV", "requested_by": "user:test"}
    return CustomerExport.objects.create(**(defaults | values))


def make_sync_log(**values) -> SyncLog:
    defaults = {
        "source_service": "scl",
        "event_type": "member.created",
        "event_id": f"event-{next(_numbers)}",
        "event_payload": {"data": {}},
        "payload_hash": "0" * 64,
        "occurred_at": timezone.now(),
    }
    return SyncLog.objects.create(**(defaults | values))


def make_import(**values) -> CustomerImport:
    defaults = {
        "kind": "IMPORT",
        "file_name": "people.csv",
        "plan": {},
        "requested_by": "user:test",
        "status": "SUCCESS",
    }
    return CustomerImport.objects.create(**(defaults | values))


def make_segment(*rules, **values) -> CustomerSegment:
    """A segment by rules; of everybody, where none is given."""
    defaults = {
        "name": f"Segment {next(_numbers)}",
        "criteria": list(rules) or [{"field": "id", "operator": "isNotNull"}],
    }
    return CustomerSegment.objects.create(**(defaults | values))
