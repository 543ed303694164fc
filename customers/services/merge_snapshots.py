"""Both profiles as they were, kept by the database so that no digit is lost on the way."""

from django.db import connection

from customers.models import ProfileMerge

BEFORE = """
UPDATE customers_profilemerge AS merge
   SET survivor_before = to_jsonb(survivor) - 'search_vector',
       absorbed_before = to_jsonb(absorbed) - 'search_vector'
  FROM customers_customerprofile AS survivor, customers_customerprofile AS absorbed
 WHERE merge.id = %s AND survivor.id = merge.survivor_id AND absorbed.id = merge.absorbed_id
"""
AFTER = """
UPDATE customers_profilemerge AS merge
   SET survivor_after = to_jsonb(survivor) - 'search_vector'
  FROM customers_customerprofile AS survivor
 WHERE merge.id = %s AND survivor.id = merge.survivor_id
"""


def keep_before(merge: ProfileMerge) -> None:
    _run(BEFORE, merge)


def keep_after(merge: ProfileMerge) -> None:
    _run(AFTER, merge)


def _run(statement: str, merge: ProfileMerge) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [merge.pk])
