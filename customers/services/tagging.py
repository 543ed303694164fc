"""Tags: which there are, and putting one on many customers at once."""

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, Value
from django.utils import timezone

from crm_site.audit.actor import Actor
from crm_site.errors import DomainError
from crm_site.tenancy.context import require_tenant_id
from customers.models import CustomerProfile
from customers.services.identity import lock_identities

MOST_AT_ONCE = 10_000
MOST_TAGS = 100
LONGEST_TAG = 64
FRESH_SECONDS = 300
# The people seen last tell which tags are in use; reading everybody's would take seconds.
IN_USE = """
SELECT tag FROM (
    SELECT unnest(tags) AS tag FROM (
        SELECT tags FROM customers_customerprofile WHERE tenant_id = %s
        ORDER BY last_activity_at DESC NULLS LAST, id DESC LIMIT 10000
    ) seen
) each GROUP BY tag ORDER BY count(*) DESC, tag LIMIT %s
"""


class TaggingError(DomainError):
    """These customers cannot be tagged like this."""


@transaction.atomic
def tag_customers(*, customers: QuerySet[CustomerProfile], tag: str, actor: Actor) -> int:
    """Put a tag on every live customer of ``customers`` who lacks it; returns how many that were.

    One statement, whatever their number. Raises TaggingError for an empty tag, or for more than
    ``MOST_AT_ONCE`` people.
    """
    name = checked_tag(tag)
    lock_identities()
    ids = list(customers.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        raise TaggingError(f"At most {MOST_AT_ONCE:,} people at once.", code="too_many")
    lacking = CustomerProfile.objects.live().filter(pk__in=ids).exclude(tags__contains=[name])
    tagged = lacking.update(
        tags=Func(F("tags"), Value(name), function="array_append"),
        updated_by=actor.id,
        updated_at=timezone.now(),
    )
    cache.delete(_key())
    return tagged


def checked_tag(tag: str) -> str:
    """The tag, trimmed. Raises TaggingError for none, or one that is too long."""
    name = tag.strip()
    if not name or len(name) > LONGEST_TAG:
        message = f"A tag has 1 to {LONGEST_TAG} characters."
        raise TaggingError(message, path="tag", code="invalid")
    return name


def tags_in_use() -> list[str]:
    """The tenant's tags, most used first, at most a hundred and at most five minutes old."""
    kept: list[str] | None = cache.get(_key())
    if kept is None:
        with connection.cursor() as cursor:
            cursor.execute(IN_USE, [require_tenant_id(), MOST_TAGS])
            kept = [tag for (tag,) in cursor.fetchall()]
        cache.set(_key(), kept, FRESH_SECONDS)
    return kept


def _key() -> str:
    return f"tags:{require_tenant_id()}"
