"""What campaigns hold about one person: what they were sent, and what came of it."""

from collections.abc import Iterator

from campaigns.models import CampaignInteraction, Delivery
from customers.services.holdings import Row, Subject, holding, told

# How a message was sent says nothing about who got it.
OUR_OWN = ("claim_token", "leased_until", "failures", "attempts", "due_at")


@holding("messages", title="Messages to them")
def _messages(subject: Subject) -> Iterator[Row]:
    rows = Delivery.objects.filter(customer__in=subject.profile_ids).order_by("created_at", "pk")
    return told(rows, leave_out=OUR_OWN)


@holding("responses", title="What came of messages")
def _responses(subject: Subject) -> Iterator[Row]:
    rows = CampaignInteraction.objects.filter(customer__in=subject.profile_ids)
    return told(rows.order_by("occurred_at", "pk"))
