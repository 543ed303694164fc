"""What staff typed that names a person by an address: told when that person is erased.

Nothing of it is changed: rules are somebody's work, and only they know what should stand there.
"""

from collections.abc import Callable, Collection, Iterable

from django.db import models

from customers.services.erased import Identifier

Finder = Callable[[Collection[str]], Iterable[models.Model]]
_finders: list[Finder] = []


def mention_finder(find: Finder) -> Finder:
    """Register what finds rows that hold any of these texts, in lower case, as a whole value."""
    _finders.append(find)
    return find


def mentions_of(identifiers: Iterable[Identifier]) -> list[dict[str, str]]:
    """Rows by ``entityType`` and ``entityId``.

    Numbers are not looked for: 1042 in a rule may be a count as well as a member's number.
    """
    words = {str(value).lower() for _, value in identifiers if isinstance(value, str)}
    if not words:
        return []
    return [
        {"entityType": str(row._meta.object_name), "entityId": str(row.pk)}
        for find in _finders
        for row in find(words)
    ]
