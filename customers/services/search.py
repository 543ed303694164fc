"""Finding a customer by what staff remember: a name, an address, some digits."""

from uuid import UUID

from django.db import connection

MOST = 200


def search_customers(text: str, *, limit: int = MOST, live_only: bool = True) -> list[UUID]:
    """Ids of the tenant's customers who match every word of ``text``, best first.

    Words are beginnings of names, e-mail addresses, phone numbers (any run of their digits, with or
    without the country code), member numbers and other ids, aliases included. Whole words come
    first, then beginnings, then names that sound alike (Smyth, Smith); among equals who was seen
    last. At most ``limit`` (up to 1,000); nothing for a text without a letter or digit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM fairway_search_customers(%s, %s, %s)",
            [text.replace("\0", " "), limit, live_only],
        )
        return [row[0] for row in cursor.fetchall()]
