"""A campaign's results as a CSV file; no cell is a formula."""

import csv
import io
from collections.abc import Iterator

from campaigns.admin.results.tables import COLUMNS, TITLES, labels
from campaigns.choices import Dimension
from campaigns.models import Campaign
from campaigns.services.breakdowns import breakdown
from customers.services.inert import cell

HEADER = ("breakdown", "value", *COLUMNS, "revenue_cents")


def as_csv(campaign: Campaign) -> bytes:
    """The whole campaign first, then each breakdown; with a mark, or Excel takes it for Latin-1."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for row in _rows(campaign):
        writer.writerow([cell(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _rows(campaign: Campaign) -> Iterator[list[object]]:
    results = getattr(campaign, "results", None)
    counts = [getattr(campaign, f"{name}_count") for name in COLUMNS]
    yield ["Whole campaign", campaign.name, *counts, results and results.revenue]
    for dimension in (*TITLES, Dimension.HOUR):
        rows = breakdown(campaign.pk, dimension)
        names = labels(dimension, rows)
        for row in rows:
            counts = [getattr(row, name) for name in COLUMNS]
            yield [dimension.label, names[row.value], *counts, row.revenue]
