"""Pages of lists that may be long, without counting them."""

import json
from typing import Any

from django.db import connections
from django.utils.functional import cached_property
from unfold.paginator import InfinitePaginator

__all__ = ["EstimatePaginator", "InfinitePaginator"]

EXACT_UP_TO = 10_000
MAX_PAGES = 200


class EstimatePaginator(InfinitePaginator):
    """Exact up to 10,000 rows; beyond that PostgreSQL's own estimate, and at most 200 pages.

    Far pages cost as much as reading everything before them, so who needs those should filter.
    """

    template_name = None  # Page numbers, unlike its parent.
    is_estimate = False

    @cached_property
    def count(self) -> int:
        rows = self.object_list.order_by()
        exact = rows[: EXACT_UP_TO + 1].count()
        if exact <= EXACT_UP_TO:
            return exact
        self.is_estimate = True
        return max(_estimated(rows), EXACT_UP_TO + 1)

    @cached_property
    def num_pages(self) -> int:
        return min(super().num_pages, MAX_PAGES)

    def _get_page(self, *args: Any, **kwargs: Any) -> Any:
        return super(InfinitePaginator, self)._get_page(*args, **kwargs)


def _estimated(rows: Any) -> int:
    """How many rows the planner expects."""
    sql, params = rows.values("pk").query.sql_with_params()
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    plans = json.loads(plan) if isinstance(plan, str) else plan
    return int(plans[0]["Plan"]["Plan Rows"])
