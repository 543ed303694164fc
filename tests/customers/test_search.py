"""Whoever staff look for is found, by whatever they remember, and nobody of another club."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.roles import refuse_bypassing_role
from customers.models import CustomerProfile, IdentityAlias
from customers.services.search import search_customers
from tests.factories import make_customer


@pytest.fixture
def zoe(tenant):
    return make_customer(
        first_name="Zoë",
        last_name="O'Brien-Müller",
        email="zoe.obrien@example.com",
        phone_number="+27825550101",
        scl_member_id=1042,
        external_ids={"golfRsaId": "2710045"},
    )


@pytest.fixture
def others(tenant, other_tenant):
    make_customer(first_name="Thabo", last_name="Nkosi", phone_number="+27835559999")
    with tenant_scope(other_tenant.pk):
        make_customer(
            first_name="Zoë",
            last_name="O'Brien-Müller",
            email="zoe.obrien@example.com",
            phone_number="+27825550101",
            scl_member_id=1042,
        )


@pytest.mark.parametrize(
    "text",
    [
        *("zoe", "ZOË", "zo", "obrien", "o'brien", "O’Brien", "brien", "muller", "Müll"),
        *("zoe muller", "muller zoe", "o'brien-müller", "zoe.obrien@example.com", "zoe.obrien@ex"),
        *(
            "obrien example.com",
            "+27 82 555 0101",
            "082 555 0101",
            "(082) 555-0101",
            "0027825550101",
        ),
        *("0101", "5550101", "1042", "2710045", "zoe 1042", "Zoe\0Brien"),
    ],
)
def test_a_customer_is_found_by(text, zoe, others):
    assert search_customers(text) == [zoe.pk]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "'",
            "''''",
            "%",
            "_",
            "\\",
            "q:*",
            "& | !",
            "!zoe nobody'",
            "<->",
            "()",
            "-- ",
            "@",
            "...",
        ),
        *(
            "zoe nkosi",
            "xyz",
            "x" * 10_000,
            "q " * 5_000,
            "'; DROP TABLE",
            "\0",
            "\ud7ff",
            "💥",
            "7777",
        ),
    ],
)
def test_any_other_text_finds_nobody_and_breaks_nothing(text, zoe, others):
    assert search_customers(text) == []


def test_names_that_sound_alike_come_after_the_ones_that_match(tenant):
    smith = make_customer(first_name="Ed", last_name="Smith", email=None)
    smyth = make_customer(first_name="Ed", last_name="Smyth", email=None)
    smythe = make_customer(first_name="Ed", last_name="Smythers", email=None)

    assert search_customers("smyth") == [smyth.pk, smythe.pk, smith.pk]
    assert search_customers("ed smith") == [smith.pk, smyth.pk]


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        *(("Steyn", "Stein"), ("Coetzee", "Kotze"), ("Philip", "Filip"), ("Naidoo", "Naidu")),
        *(
            ("Catherine", "Kathryn"),
            ("Schalk", "Shalk"),
            ("Dijkstra", "Dykstra"),
            ("Łukasz", "Lukasz"),
            ("Weiß", "weiss"),
        ),
    ],
)
def test_a_name_is_found_as_it_sounds(stored, asked, tenant):
    customer = make_customer(first_name=stored, last_name=None, email=None)

    assert search_customers(asked) == [customer.pk]


def test_among_equals_who_was_seen_last_comes_first(tenant):
    never = make_customer(last_name="Botha")
    lately = make_customer(last_name="Botha", last_activity_at=timezone.now())

    assert search_customers("botha") == [lately.pk, never.pk]
    assert search_customers("botha", limit=1) == [lately.pk]
    assert search_customers("botha", limit=-1) == []


def test_an_alias_leads_to_its_customer_until_it_goes(zoe, others):
    made = IdentityAlias.objects.bulk_create(
        [
            IdentityAlias(customer=zoe, type="EMAIL", value="old.address@golf.test"),
            IdentityAlias(customer=zoe, type="PHONE", value="+27115551234"),
            IdentityAlias(customer=zoe, type="EXTERNAL_ID", value="sclMemberId:77001"),
        ]
    )

    for text in ("old.address@golf.test", "011 555 1234", "77001", "zoe address"):
        assert search_customers(text) == [zoe.pk]

    made[0].delete()
    assert search_customers("old.address@golf.test") == []
    assert search_customers("77001") == [zoe.pk]


def test_an_alias_that_moves_leads_to_its_new_customer(zoe):
    survivor = make_customer(last_name="Survivor")
    IdentityAlias.objects.create(customer=zoe, type="EMAIL", value="moving@golf.test")

    IdentityAlias.objects.update(customer=survivor)

    assert search_customers("moving@golf.test") == [survivor.pk]


def test_a_change_of_name_is_found_at_once_and_a_stale_save_loses_no_word(zoe):
    stale = CustomerProfile.objects.get(pk=zoe.pk)
    IdentityAlias.objects.create(customer=zoe, type="EMAIL", value="second@golf.test")

    CustomerProfile.objects.filter(pk=zoe.pk).update(last_name="Smith")
    assert search_customers("zoe smith") == [zoe.pk]
    assert search_customers("muller") == []

    stale.save()
    assert search_customers("muller second@golf.test") == [zoe.pk]


def test_deleted_and_merged_customers_are_found_only_where_asked_for(zoe):
    gone = make_customer(first_name="Zoe", last_name="Gone", deleted_at=timezone.now())

    assert search_customers("zoe") == [zoe.pk]
    assert set(search_customers("zoe", live_only=False)) == {zoe.pk, gone.pk}


def test_without_a_tenant_nothing_is_found(zoe):
    with tenant_scope(""):
        assert search_customers("zoe") == []


def test_nobody_can_act_as_the_role_that_searches(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolcanlogin, rolsuper, rolbypassrls, pg_has_role('fairway_search', 'MEMBER') "
            "FROM pg_roles WHERE rolname = 'fairway_search'"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute(
            "SELECT array_agg(column_name::text) FROM information_schema.column_privileges "
            "WHERE grantee = 'fairway_search'"
        )
        readable = cursor.fetchone()[0] or []
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SET ROLE fairway_search")

    assert set(readable) <= {
        *("id", "tenant_id", "search_vector", "last_activity_at", "deleted_at", "merged_at")
    }


def test_the_search_function_is_its_own_roles_and_pins_its_path(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proowner::regrole::text, prosecdef, proconfig FROM pg_proc "
            "WHERE proname = 'fairway_search_customers'"
        )
        owner, is_definer, settings = cursor.fetchone()

    assert (owner, is_definer) == ("fairway_search", True)
    assert "search_path=pg_catalog, public, pg_temp" in settings


@pytest.mark.django_db(databases=["default", "owner"])
def test_a_role_with_a_policy_of_its_own_is_refused_as_runtime_role():
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET ROLE fairway_search")
        try:
            with pytest.raises(ImproperlyConfigured, match="fairway_search"):
                refuse_bypassing_role("owner")
        finally:
            cursor.execute("RESET ROLE")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_another_migrate_leaves_the_search_as_it_is():
    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_policy WHERE polname = 'search_reads'")
        assert cursor.fetchone() == (1,)
