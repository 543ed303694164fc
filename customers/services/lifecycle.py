"""How far a customer has come with the club: the only place that moves ``lifecycle_stage``."""

from customers.choices import LifecycleStage

ACTIVE_MEMBERSHIP = {"active", "current", "renewed"}
ENDED_MEMBERSHIP = {"lapsed", "resigned", "expired", "cancelled", "terminated"}
BEFORE_CUSTOMER = {LifecycleStage.SUBSCRIBER, LifecycleStage.LEAD, LifecycleStage.PROSPECT}
# Types of activity by which somebody has done business with the club.
TRANSACTIONS = {"TEETIME_BOOKED", "ROUND_PLAYED", "PAYMENT_RECEIVED"}


def stage_for_membership(stage: str, membership_status: str | None) -> str:
    """The stage once the membership's status has become another; an advocate stays one."""
    status = (membership_status or "").casefold()
    if status in ENDED_MEMBERSHIP:
        return LifecycleStage.CHURNED
    if status in ACTIVE_MEMBERSHIP and stage != LifecycleStage.ADVOCATE:
        return LifecycleStage.MEMBER
    return stage


def stage_after_activity(stage: str, activity_type: str) -> str:
    """A first booking or payment makes a customer; who is or was a member stays that."""
    if activity_type in TRANSACTIONS and stage in BEFORE_CUSTOMER:
        return LifecycleStage.CUSTOMER
    return stage
