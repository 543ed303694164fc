"""The segments that every tenant starts with."""

from crm_site.audit.actor import Actor
from segments.models import CustomerSegment

ACTOR = Actor.system("segments.builtin")

BUILTIN = {
    "All Customers": (
        "Everybody the club knows.",
        {"field": "id", "operator": "isNotNull"},
    ),
    "Active Members": (
        "People whose membership is active today.",
        {"field": "membershipStatus", "operator": "equals", "value": "ACTIVE"},
    ),
    "High Engagement": (
        "People who play, open and click a lot: an engagement score of 70 or more.",
        {"field": "engagementScore", "operator": "greaterThanOrEqual", "value": 70},
    ),
    "At Risk (Churn)": (
        "People who may be about to leave: a churn risk of 70 or more.",
        {"field": "churnRiskScore", "operator": "greaterThanOrEqual", "value": 70},
    ),
}


def ensure_builtin_segments() -> None:
    """Create for the tenant in scope those that are missing.

    Never refreshed before, they are due at the scheduler's next tick.
    """
    known = set(CustomerSegment.objects.live().values_list("name", flat=True))
    CustomerSegment.objects.bulk_create(
        CustomerSegment(
            name=name, description=description, criteria=[rule], is_system=True,
            created_by=ACTOR.id,
        )
        for name, (description, rule) in BUILTIN.items()
        if name not in known
    )  # fmt: skip
