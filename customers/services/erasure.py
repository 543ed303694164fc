"""Erasing a person: everything personal goes, what was counted stays, and they are known again."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from crm_site.audit import services as audit
from crm_site.audit.actor import Actor, acting_as
from crm_site.errors import NOT_FOUND
from crm_site.tenancy.context import local_settings
from customers.choices import ErasureReason
from customers.models import CustomerProfile, Erasure
from customers.services import forgetting
from customers.services.erased import ErasureError, Identifier, remember_erased
from customers.services.identity import lock_identities
from customers.services.mentions import mentions_of
from customers.services.person import identifiers_of, whole_person
from customers.signals import profile_erased


@transaction.atomic
def erase_profile(
    *, customer_id: UUID, actor: Actor, reason: ErasureReason = ErasureReason.REQUEST
) -> Erasure:
    """Erase a customer, deleted or not, with all that was merged into them. There is no way back.

    One transaction, in which the apps above follow (``profile_erased``). Raises ErasureError for
    one who is not there, who was merged into another, or who was erased before.
    """
    lock_identities()
    profile = CustomerProfile.objects.filter(pk=customer_id).select_related("merged_into").first()
    if profile is None:
        raise ErasureError("There is no such customer.", code=NOT_FOUND)
    if profile.erased_at is not None:
        raise ErasureError("This customer was erased already.", code="already_erased")
    if profile.merged_into is not None:
        raise ErasureError("This customer was merged into another: erase that one.", code="merged")
    people = whole_person(profile)
    identifiers = identifiers_of(row.pk for row in people)
    erasure = Erasure(
        profile_ids=[row.pk for row in people],
        reason=reason,
        erased_at=timezone.now(),
        performed_by=actor.id,
        mentioned_in=mentions_of(identifiers),
    )
    with acting_as(actor):
        erasure.counts = forget(people, identifiers, erasure)
        erasure.save(force_insert=True)
        remember_erased(erasure, identifiers)
    audit.record(
        "ERASE", profile, actor=actor, metadata={"reason": reason, "erasureId": str(erasure.pk)}
    )
    return erasure


def erase_again(erasure: Erasure, *, actor: Actor) -> int:
    """Erase whom an earlier erasure named and a restored backup brought back. Returns how many.

    Call in a transaction that holds the tenant's identities.
    """
    rows = CustomerProfile.objects.filter(pk__in=erasure.profile_ids, erased_at__isnull=True)
    people = list(rows.order_by("pk").defer("search_vector").select_for_update())
    if not people:
        return 0
    with acting_as(actor):
        forget(people, identifiers_of(row.pk for row in people), erasure)
    for profile in people:
        metadata = {"reason": erasure.reason, "erasureId": str(erasure.pk), "again": True}
        audit.record("ERASE", profile, actor=actor, metadata=metadata)
    return len(people)


def forget(
    people: list[CustomerProfile], identifiers: set[Identifier], erasure: Erasure
) -> dict[str, int]:
    """Take people out of every table. Returns rows by table.

    The audit log hears of it as one ERASE: entries of its own would hold what is being erased.
    """
    ids, now = [row.pk for row in people], erasure.erased_at
    relatives = forgetting.relatives_of(ids)
    with local_settings(audit="off"):
        counts = {
            "CustomerProfile": forgetting.empty_profiles(
                ids, now=now, actor_id=erasure.performed_by
            ),
            "Activity": forgetting.empty_activities(ids),
            "SyncLog": forgetting.empty_events(ids, identifiers, relatives, now=now),
            "KeptAnswer": forgetting.forget_answers(ids, identifiers),
            "CustomerExport": forgetting.stop_exports(ids, identifiers, now=now),
            "StoredFile": forgetting.remove_files(),
            "SavedView": forgetting.remove_views(identifiers),
            "CrmAuditLog": forgetting.redact_audit(ids),
        }
        for profile in people:
            profile_erased.send(sender=CustomerProfile, profile=profile)
        counts |= forgetting.remove_belongings(ids)
    return {table: count for table, count in counts.items() if count}
