"""Lots that always fall the same way, drawn in the database.

A draw follows from what it is for and from the customer, so that a snapshot taken again, a
restored backup and a report agree on who was held out and who got which variant.
"""

BUCKETS = 10_000


def bucket(salt: str, customer: str) -> str:
    """SQL for a number from 0 up to ``BUCKETS``; both arguments are expressions of text.

    MD5 and not PostgreSQL's own hash: that one may change with the server's version.
    """
    start = f"('x' || substr(md5({salt} || {customer}::text), 1, 8))::bit(32)::bigint"
    return f"mod({start}, {BUCKETS})"


def share(percent: int) -> int:
    """How many buckets that is."""
    return percent * BUCKETS // 100
