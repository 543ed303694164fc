"""What a campaign may be for, in the words of the club."""

from dataclasses import dataclass

from django.db import connection

from crm_site.tenancy.context import require_tenant_id


@dataclass(frozen=True)
class Goal:
    """A type of activity as staff say it: they “booked a tee time”, which makes “bookings”."""

    did: str
    noun: str


KNOWN = {
    "TEETIME_BOOKED": Goal("booked a tee time", "bookings"),
    "ROUND_PLAYED": Goal("played a round", "players"),
    "COMPETITION_ENTERED": Goal("entered a competition", "entries"),
    "PAYMENT_RECEIVED": Goal("paid for something", "buyers"),
    "MEMBERSHIP_CREATED": Goal("became a member", "members"),
    "MEMBERSHIP_RENEWED": Goal("renewed the membership", "renewals"),
}
# What happens to people rather than being done by them, and what a message itself brings about.
NEVER_A_GOAL = ("MESSAGE_", "CONSENT_", "NOTE_", "CUSTOMER_", "SCORE_")
MOST_TYPES = 100
# From type to type by activity_type, instead of reading ten million activities.
TYPES = """
WITH RECURSIVE found(type) AS (
    (SELECT type FROM customers_activity WHERE tenant_id = %(tenant)s ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT a.type FROM customers_activity a
             WHERE a.tenant_id = %(tenant)s AND a.type > found.type ORDER BY a.type LIMIT 1)
      FROM found WHERE found.type IS NOT NULL
)
SELECT type FROM found WHERE type IS NOT NULL LIMIT %(most)s
"""


def goal_of(activity_type: str) -> Goal:
    known = KNOWN.get(activity_type)
    return known or Goal(f"did “{activity_type.replace('_', ' ').lower()}”", "of them")


def goal_choices(current: str | None = None) -> list[tuple[str, str]]:
    """Types of activity to choose from: those staff ask for most, then others the club has seen."""
    with connection.cursor() as cursor:
        cursor.execute(TYPES, {"tenant": require_tenant_id(), "most": MOST_TYPES})
        seen = [type_ for (type_,) in cursor.fetchall()]
    others = [each for each in [*seen, *([current] if current else [])] if each not in KNOWN]
    told = [(name, _capital(goal.did)) for name, goal in KNOWN.items()]
    told += [
        (name, name.replace("_", " ").capitalize())
        for name in dict.fromkeys(others)
        if not name.startswith(NEVER_A_GOAL) or name == current
    ]
    return told


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
