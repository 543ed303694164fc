"""Row ids: UUID version 7 (RFC 9562), so that big tables grow in order."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh id. Ids made later sort after ids made earlier by the same process.

    The database's twin for set-based inserts is the SQL function ``fairway_uuid7()``.
    """
    return uuid7()
