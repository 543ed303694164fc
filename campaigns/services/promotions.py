"""Writing down how an event is promoted."""

from typing import Any

from django.db import IntegrityError, transaction

from campaigns.models import EventPromotion
from crm_site.audit.actor import Actor
from crm_site.errors import DomainError


class PromotionError(DomainError):
    """This event cannot be promoted like this."""


def create_promotion(*, values: dict[str, Any], actor: Actor) -> EventPromotion:
    """A promotion of one event. Raises PromotionError if the event has one already."""
    return _saved(EventPromotion(**values, created_by=actor.id))


def change_promotion(*, promotion: EventPromotion, values: dict[str, Any]) -> EventPromotion:
    for name, value in values.items():
        setattr(promotion, name, value)
    return _saved(promotion)


def _saved(promotion: EventPromotion) -> EventPromotion:
    try:
        with transaction.atomic():
            promotion.save()
    except IntegrityError as error:
        raise PromotionError(
            "This event is promoted already.", path="source_id", code="already_exists"
        ) from error
    return promotion
