"""Nothing of somebody erased is left in any table that there is, or that comes to be added."""

import pytest
from django.db import connection
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from customers.models import CustomerProfile
from customers.services.erasure import erase_profile
from segments.models import CustomerSegment
from segments.services.authoring import delete_segment
from segments.services.membership import change_members
from segments.services.publishing import due_for_messaging, sync_with_messaging
from tests.customers.living import (
    EMAIL,
    MARK,
    dump,
    live_through,
    mark_every_column,
    rows_of,
    tables_with,
    write_to_them,
)
from tests.factories import make_customer, make_segment

# Tables of a club that hold text and nothing about its customers, each with the reason.
NO_PERSON = {
    "access_apikey": "Programs, as staff call them.",
    "access_tenantmembership": "Which role a member of staff has.",
    "access_webhookendpoint": "Services that send events, and their secrets.",
    "backoffice_listcolumns": "Names of columns.",
    "campaigns_campaign": "What staff wrote to many; whom it is for is a segment.",
    "campaigns_campaignapproval": "What colleagues said about a message to many.",
    "campaigns_campaignresults": "Figures of many.",
    "campaigns_campaignrun": "How one sending went, in counts.",
    "campaigns_campaignsegment": "Which segments a campaign is for.",
    "campaigns_campaignvariant": "What staff wrote to many.",
    "campaigns_eventpromotion": "An event of the club.",
    "campaigns_frequencycap": "How many messages anybody may get over a channel.",
    "campaigns_seedrecipient": "Mailboxes of the club's own, to which tests go.",
    "campaigns_sendinghold": "Why nothing is sent just now.",
    "campaigns_triggerfiring": "Which event led to a message, by ids and codes.",
    "customers_bulkmerge": "How far a job is; the people are its pairs.",
    "customers_customerimport": "How far a job is, and which column is read as what.",
    "customers_duplicatescan": "How far a job is, in counts.",
    "customers_erasedidentity": "Keyed hashes, by which an erased person is known again.",
    "customers_erasure": "That somebody was erased; ids of emptied rows.",
    "customers_scoremodel": "Coefficients learned from many.",
    "customers_scoretraining": "How far a job is.",
    "customers_tagging": "How far a job is; the people are its targets.",
    "journeys_journey": "What staff planned for many.",
    "journeys_journeystep": "What staff planned for many.",
    "journeys_journeyversion": "What staff planned for many.",
    "segments_customersegment": "Rules of staff; one that names the person is told on the erasure.",
    "segments_segmentrefresh": "How a refresh went, in counts.",
    "segments_segmenttrial": "A question of staff to a model, and how good the model is.",
    "social_socialconnection": "The club's own accounts.",
    "social_socialpost": "What the club said in public.",
    "tenancy_club": "The club's own name.",
}  # fmt: skip

# What stays of a person, emptied: what was counted still counts.
STAYS = {
    *("CustomerProfile", "Activity", "SyncLog", "Delivery", "CampaignInteraction"),
    *("JourneyEnrollment", "JourneyEnrollmentStep"),
    "MessagingMember",  # Until Messaging has been told.
}


def tables_with_text():
    """Tables of tenants with a column that could hold something somebody said, by the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT c.relname FROM pg_class c
              JOIN pg_attribute tenant ON tenant.attrelid = c.oid AND tenant.attname = 'tenant_id'
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_type item ON item.oid = t.typelem AND t.typcategory = 'A'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition AND a.attname <> 'tenant_id'
               AND coalesce(item.typname, t.typname) IN
                   ('text', 'varchar', 'bpchar', 'citext', 'name', 'json', 'jsonb', 'xml',
                    'inet', 'cidr', 'macaddr', 'bytea', 'tsvector', 'hstore')
            """
        )
        return {name for (name,) in cursor.fetchall()}


def test_nothing_of_the_person_is_left_in_any_table(tenant, other_tenant, process, actor):
    with tenant_scope(other_tenant.pk):
        theirs = live_through(process)
        mark_every_column(theirs)
        before = dump()
    ann = live_through(process)
    write_to_them(ann)
    mark_every_column(ann)
    words = [MARK, MARK.encode().hex(), "203.0.113.77", "825550199", "082 555 0199"]
    planted = {table for table, _ in tables_with(words)}
    rows = {model: set(found.values_list("pk", flat=True)) for model, found in rows_of(ann).items()}

    erase_profile(customer_id=ann.pk, actor=actor)

    assert tables_with(words) == set()
    left = {model for model, ids in rows.items() if model.objects.filter(pk__in=ids).exists()}
    assert {model.__name__ for model in left} <= STAYS
    tried = planted | {model._meta.db_table for model, ids in rows.items() if ids}
    untold = tables_with_text() - tried - NO_PERSON.keys()
    assert not untold, "Fill these tables in living.py, or say why no customer is in them."
    assert NO_PERSON.keys() <= tables_with_text() - planted
    with tenant_scope(other_tenant.pk):
        assert dump() == before


@pytest.mark.parametrize("state", ["in use", "not in use", "deleted"])
def test_who_was_erased_leaves_messagings_copy_of_a_segment(
    tenant, other_tenant, actor, messaging, state
):
    segment = make_segment(type="STATIC", criteria=None, messaging_segment_id="seg-7")
    ann, ben, left = make_customer(), make_customer(), make_customer()
    put(segment, actor, add=[ann.pk, ben.pk, left.pk])
    sync(segment)
    put(segment, actor, remove=[left.pk])
    if state == "not in use":
        CustomerSegment.objects.filter(pk=segment.pk).update(is_active=False)
    if state == "deleted":
        delete_segment(segment, now=timezone.now())

    erase_profile(customer_id=ann.pk, actor=actor)

    assert due_for_messaging(timezone.now()) == [segment.pk]
    sync(segment)
    at_messaging = messaging.segments[tenant.pk, "seg-7"]
    assert str(ann.pk) not in at_messaging
    assert str(ben.pk) in at_messaging
    assert due_for_messaging(timezone.now()) == []


def put(segment, actor, **who):
    change_members(segment=segment, actor=actor, now=timezone.now(), **who)


def sync(segment):
    sync_with_messaging(segment_id=segment.pk, now=timezone.now())


def test_rules_that_name_the_person_are_told_and_left_alone(tenant, other_tenant, actor):
    def rule(operator, value, field="email"):
        return {"field": field, "operator": operator, "value": value}

    by_name = make_segment(rule("equals", EMAIL.upper()))
    in_list = make_segment({"combinator": "or", "rules": [rule("in", ["ben@example.org", EMAIL])]})
    make_segment(rule("endsWith", "example.org"), rule("equals", f"x{EMAIL}"))
    make_segment(rule("equals", EMAIL), deleted_at=timezone.now())
    with tenant_scope(other_tenant.pk):
        make_segment(rule("equals", EMAIL))
    ann = make_customer(email=EMAIL)
    nobody = make_customer()
    CustomerProfile.objects.filter(pk=nobody.pk).update(email=None)

    erasure = erase_profile(customer_id=ann.pk, actor=actor)

    told = {(each["entityType"], each["entityId"]) for each in erasure.mentioned_in}
    assert told == {("CustomerSegment", str(row.pk)) for row in (by_name, in_list)}
    by_name.refresh_from_db()
    assert by_name.criteria[0]["value"] == EMAIL.upper()
    assert erase_profile(customer_id=nobody.pk, actor=actor).mentioned_in == []
