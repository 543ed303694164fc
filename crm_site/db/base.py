"""What every table of ours has in common."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_site.db.ids import new_id


class IdModel(models.Model):
    """A row with an id of ours."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class TimestampedModel(models.Model):
    """A row that says when it was made and last changed, both UTC."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True


class SoftDeleteModel(models.Model):
    """A row that is hidden rather than removed."""

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


def one_of(field: str, choices: type[models.TextChoices], *, model: str) -> models.CheckConstraint:
    """A constraint that holds ``field`` to the values of ``choices``; null passes."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__in": choices.values}), name=f"{model}_{field}_known"
    )


def only(field: str, choices: type[models.TextChoices], *, model: str) -> models.CheckConstraint:
    """The same for every item of an array field."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__contained_by": list(choices.values)}),
        name=f"{model}_{field}_known",
    )


def is_live(fields: Iterable[str] = ("deleted_at",)) -> Q:
    """A condition for partial unique keys: none of these moments has come."""
    condition = Q()
    for field in fields:
        condition &= Q(**{f"{field}__isnull": True})
    return condition
