"""The big tenant: 1,000,000 customers and 5,000,000 activities at scale 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections, transaction

from crm_site.audit.actor import Actor
from crm_site.devstack.bench.loading import bare, insert_series
from crm_site.tenancy.context import tenant_scope
from crm_site.tenancy.models import Tenant
from crm_site.tenancy.services import create_tenant
from customers.models import Activity, CustomerProfile

TENANT = "bench"
ACTOR = Actor.system("customers.process_events")
CUSTOMERS, ACTIVITIES = 1_000_000, 5_000_000
# Of 100 customers 26 are members, and half of everybody booked twice in 90 days: 13 in 100 match.
CRITERIA = [
    {"field": "lifecycleStage", "operator": "equals", "value": "MEMBER"},
    {"field": "bookingCount90d", "operator": "greaterThanOrEqual", "value": 2},
]
PREDICATE = """
tenant_id = 'bench' AND deleted_at IS NULL AND merged_at IS NULL
AND lifecycle_stage = 'MEMBER' AND booking_count_90d >= 2
"""

FIRST_NAMES = (
    *("Ann", "Sipho", "Priya", "Johan", "Thandi", "Pieter"),
    *("Fatima", "Grant", "Lerato", "Naledi", "Kevin", "Zanele"),
)
LAST_NAMES = (
    *("Dlamini", "Naidoo", "Botha", "Smith", "Mkhize"),
    *("van Wyk", "Govender", "Mokoena", "Jones", "Nkosi"),
)
CITIES = ("Durban", "Ballito", "Umhlanga", "Pinetown", "Sandton", "Pretoria", "Cape Town")


@dataclass(frozen=True)
class Size:
    scale: float

    @property
    def customers(self) -> int:
        return max(1_000, round(CUSTOMERS * self.scale))

    @property
    def activities(self) -> int:
        return self.customers * ACTIVITIES // CUSTOMERS


def player_id(number: int) -> str:
    """TeeTime's id of the customer of that number, from 1."""
    return f"player-{number}"


def customer_id(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


def ensure_dataset(size: Size) -> bool:
    """Build the tenant unless it stands already in this size. Returns whether it was built."""
    if not Tenant.objects.filter(pk=TENANT).exists():
        create_tenant(
            tenant_id=TENANT, name="Bench", time_zone="Africa/Johannesburg", currency="ZAR"
        )
    with tenant_scope(TENANT), transaction.atomic():
        if CustomerProfile.objects.filter(pk=customer_id(size.customers)).exists():
            return False
        if CustomerProfile.objects.exists():
            raise ValueError("The bench tenant stands in another size: remove its DATA_DIR first.")
    owner = connections["owner"]
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        # Row-level security is forced on the owner too.
        cursor.execute("SELECT set_config('fairway.tenant_id', %s, true)", [TENANT])
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        with bare(cursor, CustomerProfile._meta.db_table):
            insert_series(cursor, CustomerProfile, _profile(), count=size.customers)
        with bare(cursor, Activity._meta.db_table):
            insert_series(cursor, Activity, _activity(size), count=size.activities)
    with owner.cursor() as cursor:
        for model in (CustomerProfile, Activity):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")
    owner.close()
    return True


def _pick(words: Sequence[str], number: str) -> str:
    array = ", ".join(f"'{word}'" for word in words)
    return f"(ARRAY[{array}])[1 + ({number}) % {len(words)}]"


def _profile() -> dict[str, str]:
    """SQL for each column of customer ``n``; spread by remainders, so that it never changes."""
    first, last = _pick(FIRST_NAMES, "n"), _pick(LAST_NAMES, "n / 12")
    email = "'player' || n || '@example.com'"
    phone = "'+278' || lpad(n::text, 8, '0')"
    return {
        "id": "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
        "tenant_id": f"'{TENANT}'",
        # As after the events of years: a first change by somebody else would be audited.
        "updated_by": f"'{ACTOR.id}'",
        "created_at": "now() - n * interval '30 seconds'",
        "updated_at": "now()",
        "email": email,
        "phone_number": phone,
        "scl_member_id": "n",
        "teetime_player_id": "'player-' || n",
        "first_name": first,
        "last_name": last,
        "date_of_birth": "date '1940-01-01' + (n % 25000)::int",
        "city": _pick(CITIES, "n / 7"),
        "country": "'ZA'",
        "lifecycle_stage": (
            "CASE WHEN n % 100 < 26 THEN 'MEMBER' WHEN n % 100 < 95 THEN 'CUSTOMER' ELSE 'LEAD' END"
        ),
        "tags": "CASE WHEN n % 50 = 0 THEN ARRAY['vip'] ELSE ARRAY[]::varchar[] END",
        "membership_tier": "CASE WHEN n % 100 < 26 THEN 'Full' END",
        "email_opt_in": "n % 5 < 3",
        "email_opt_in_at": "CASE WHEN n % 5 < 3 THEN now() - interval '1 year' END",
        "booking_count_90d": "(n / 100) % 4",
        "last_activity_at": "now() - (n * 7919::bigint % 63072000) * interval '1 second'",
        "last_activity_type": "'ROUND_PLAYED'",
        "search_vector": (
            f"fairway_search_document('{TENANT}', {first} || ' ' || {last}, ARRAY[{email}], "
            f"ARRAY[{phone}], ARRAY[n::text])"
        ),
    }


def _activity(size: Size) -> dict[str, str]:
    """Two years of activities in the order they came, each customer's spread over all of it."""
    number = f"1 + (n * 7919::bigint) % {size.customers}"
    return {
        "id": "('01910000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
        "tenant_id": f"'{TENANT}'",
        "customer_id": (f"('01900000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"),
        "type": _pick(["TEETIME_BOOKED", "ROUND_PLAYED", "PAYMENT_RECEIVED", "MESSAGE_SENT"], "n"),
        "category": _pick(["BOOKING", "BOOKING", "FINANCIAL", "COMMUNICATION"], "n"),
        "title": "'Tee time on the Lagoon Course'",
        "metadata": "jsonb_build_object('bookingId', n, 'course', 'Lagoon Course')",
        "source_service": "'teetime'",
        "source_event_id": "'bench-' || n",
        "occurred_at": f"now() - ({size.activities} - n) * interval '2 years' / {size.activities}",
        "processed_at": "now()",
    }
