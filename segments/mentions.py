"""Rules that ask for one person by an address."""

from collections.abc import Collection, Iterable

from django.db import models
from django.db.models.expressions import RawSQL

from customers.services.mentions import mention_finder
from segments.models import CustomerSegment

# Any value in the rules, however deep: of one comparison, or one of a list.
NAMES_ANY_OF = """
EXISTS (SELECT FROM jsonb_path_query(criteria, 'strict $.**.value') AS found(value),
                    jsonb_path_query(found.value, 'lax $[*]') AS said(word)
         WHERE lower(said.word #>> '{}') = ANY(%s))
"""


@mention_finder
def segments_naming(words: Collection[str]) -> Iterable[models.Model]:
    names_them = RawSQL(NAMES_ANY_OF, [list(words)], output_field=models.BooleanField())  # noqa: S611
    return CustomerSegment.objects.live().filter(names_them).order_by("name")
