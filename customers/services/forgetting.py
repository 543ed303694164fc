"""Taking one person out of the tables of this app, a few statements whatever there is of them.

What is counted stays: the emptied profile, that something happened and when, that an event came.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from django.db import connection
from django.db.models import Q

from crm_site.api.idempotency import forget_answers_with
from crm_site.backoffice.models import SavedView
from crm_site.files.models import StoredFile
from crm_site.jobs.models import JobStatus
from crm_site.tenancy.context import local_settings, require_tenant_id
from customers.choices import CustomerStatus, SyncStatus
from customers.models import (
    BulkMergePair,
    CustomerExport,
    CustomerImport,
    CustomerNote,
    CustomerProfile,
    CustomerScore,
    DuplicateCandidate,
    IdentityAlias,
    ImportChange,
    ProfileMerge,
    TaggingTarget,
)
from customers.services.erased import SET_ASIDE, Identifier

# What stays of a profile; every other field is emptied, those that come to be added too.
KEPT = {
    *("id", "tenant", "created_at", "created_by", "merged_into", "merged_at"),
    *("lifecycle_stage", "lifetime_value"),
}


def empty_profiles(ids: Collection[UUID], *, now: datetime, actor_id: str) -> int:
    """Nothing is left that says who they were, and no consent."""
    values: dict[str, Any] = {
        field.name: _blank(field)
        for field in CustomerProfile._meta.concrete_fields
        if field.name not in KEPT and field.name != "search_vector"  # A trigger's.
    }
    values |= {"status": CustomerStatus.DELETED, "deleted_at": now, "erased_at": now}
    values |= {"updated_at": now, "updated_by": actor_id}
    # Consent has one writer; that the person is gone is the one other thing that ends it.
    with local_settings(consent_writer="messaging"):
        return CustomerProfile.objects.filter(pk__in=ids).update(**values)


def _blank(field: Any) -> Any:
    if field.has_default():
        return field.get_default()
    return None if field.null else ""


# Amounts are kept, since revenue is counted from them. An event id leads back to its source.
EMPTY_ACTIVITIES = r"""
UPDATE customers_activity
   SET title = initcap(replace(type, '_', ' ')), description = NULL,
       metadata = CASE WHEN metadata ->> 'amount' ~ '^-?\d+(\.\d+)?$'
                       THEN jsonb_build_object('amount', metadata -> 'amount') END,
       source_id = NULL, source_event_id = NULL
 WHERE tenant_id = %s AND customer_id = ANY(%s)
"""


def empty_activities(ids: Collection[UUID]) -> int:
    """That something happened, when and of which kind, and nothing more."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY_ACTIVITIES, [require_tenant_id(), list(ids)])
        return cursor.rowcount


def remove_belongings(ids: Collection[UUID]) -> dict[str, int]:
    """Notes, private ones too, other identifiers, pairs they were one of, weeks of scores, what
    imports and merges changed of them, and their place in work under way. Rows by table."""
    pairs = Q(profile_a__in=ids) | Q(profile_b__in=ids)
    merged = Q(survivor_id__in=ids) | Q(absorbed_id__in=ids)
    gone = (
        CustomerNote.objects.filter(customer__in=ids).delete(),
        IdentityAlias.objects.filter(customer__in=ids).delete(),
        DuplicateCandidate.objects.filter(pairs).delete(),
        ImportChange.objects.filter(customer__in=ids).delete(),
        BulkMergePair.objects.filter(merged).delete(),
        ProfileMerge.objects.filter(merged).delete(),
        CustomerScore.objects.filter(customer__in=ids).delete(),
        TaggingTarget.objects.filter(customer_id__in=ids).delete(),
    )
    return {
        label.rpartition(".")[2]: count for _, by_label in gone for label, count in by_label.items()
    }


def relatives_of(ids: Collection[UUID]) -> set[UUID]:
    """Whoever was told apart from them: their events may name an address the two share."""
    pairs = DuplicateCandidate.objects.filter(Q(profile_a__in=ids) | Q(profile_b__in=ids))
    both = {each for pair in pairs.values_list("profile_a", "profile_b") for each in pair}
    return both - set(ids)


# ``{which}`` finds rows by an index: those settled on these people, or those that are nobody's yet.
EMPTY_EVENTS = """
UPDATE customers_synclog
   SET event_payload = NULL, conflict_payload = NULL,
       status = CASE WHEN status = 'SUCCESS' THEN status ELSE %(skipped)s END,
       error = CASE WHEN status = 'SUCCESS' THEN NULL ELSE %(why)s END,
       processed_at = coalesce(processed_at, %(now)s), next_attempt_at = NULL
 WHERE tenant_id = %(tenant)s AND ({which})
"""
OF_THEM = "customer_id = ANY(%(ids)s)"
# A body names them by an address anywhere in it, or as the customer by an id or a phone number,
# which may be written in any way: its last nine digits are what every way has in common.
NAMES_THEM = r"""
   lower(event_payload::text) LIKE ANY(%(emails)s)
OR lower(conflict_payload::text) LIKE ANY(%(emails)s)
OR event_payload #>> '{data,customer,authUserId}' = ANY(%(auth_user_id)s)
OR event_payload #>> '{data,customer,sclMemberId}' = ANY(%(scl_member_id)s)
OR event_payload #>> '{data,customer,teetimePlayerId}' = ANY(%(teetime_player_id)s)
OR event_payload #>> '{data,customer,messagingContactId}' = ANY(%(messaging_contact_id)s)
OR right(regexp_replace(event_payload #>> '{data,customer,phoneNumber}', '\D', '', 'g'), 9)
   = ANY(%(phones)s)
"""
UNSETTLED = (
    "(status IN ('PENDING', 'PROCESSING', 'FAILED', 'SKIPPED') OR customer_id = ANY(%(relatives)s))"
)


def empty_events(
    ids: Collection[UUID],
    identifiers: Collection[Identifier],
    relatives: Collection[UUID],
    *,
    now: datetime,
) -> int:
    """Bodies of events about them go; what still waited is set aside. Ids and hashes stay, so that
    a repeat is known. Returns how many."""
    values: dict[str, Any] = {
        **{"tenant": require_tenant_id(), "now": now, "why": SET_ASIDE, "ids": list(ids)},
        **{"skipped": SyncStatus.SKIPPED, "relatives": list(relatives)},
        "emails": [f"%{_escaped(value)}%" for value in _told(identifiers, "email")],
        "phones": [value[-9:] for value in _told(identifiers, "phone_number")],
    }
    for name in ("auth_user_id", "scl_member_id", "teetime_player_id", "messaging_contact_id"):
        values[name] = _told(identifiers, name)
    with connection.cursor() as cursor:
        cursor.execute(EMPTY_EVENTS.format(which=OF_THEM), values)
        count: int = cursor.rowcount
        cursor.execute(EMPTY_EVENTS.replace("{which}", f"{UNSETTLED} AND ({NAMES_THEM})"), values)
        return count + cursor.rowcount


def _told(identifiers: Collection[Identifier], name: str) -> list[str]:
    return [str(value) for kind, value in identifiers if kind == name]


def _escaped(text: str) -> str:
    """For LIKE: an address may hold an underscore."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def forget_answers(ids: Collection[UUID], identifiers: Collection[Identifier]) -> int:
    """API answers kept for a repeat of their request, where they are about these people."""
    words = [str(pk) for pk in ids]
    words += [str(value) for kind, value in identifiers if kind in {"email", "phone_number"}]
    return forget_answers_with(words)


def remove_files() -> int:
    """Files of imports and exports, kept for a while only: any of them may hold these people.

    Those of imports that wait or run stay; their rows about anybody erased will be refused.
    """
    in_use = CustomerImport.objects.open().filter(file__isnull=False).values("file")
    files = StoredFile.objects.filter(purpose__startswith="customer-").exclude(pk__in=in_use)
    return files.delete()[1].get("files.StoredFile", 0)


def stop_exports(
    ids: Collection[UUID], identifiers: Collection[Identifier], *, now: datetime
) -> int:
    """Exports under way are stopped, those of these people go, and what was typed to find them."""
    CustomerExport.objects.waiting().update(status=JobStatus.CANCELLED, finished_at=now)
    CustomerExport.objects.running().update(cancel_requested_at=now)
    words = [str(value) for _, value in identifiers]
    if words:
        CustomerExport.objects.filter(_holding_any("filters", words)).update(filters={})
    return CustomerExport.objects.filter(customer__in=ids).delete()[0]


def remove_views(identifiers: Collection[Identifier]) -> int:
    """Views of lists that were kept to find this person again, by an address in their filters."""
    words = [quote_plus(value) for _, value in identifiers if isinstance(value, str)]
    views = SavedView.objects.filter(_holding_any("query", words)) if words else None
    return views.delete()[0] if views is not None else 0


def _holding_any(field: str, words: Iterable[str]) -> Q:
    return Q.create([(f"{field}__icontains", word) for word in words], connector=Q.OR)


def redact_audit(ids: Collection[UUID]) -> int:
    """Values in the audit log about them and what belonged to them; who did what, and when, stays.

    The database does it, for profiles that are marked as erased only (decision 16). Call before
    their belongings are removed, by which it finds the entries.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT fairway_redact_audit(%s)", [list(ids)])
        count: int = cursor.fetchone()[0]
        return count
