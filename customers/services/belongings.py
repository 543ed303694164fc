"""Every table whose rows belong to a customer, and where they go when two are merged.

The app of a table registers it; a test walks the database's catalogue and fails for a table that
points at customers and is not here, and for one whose rows a merge or its undoing forgets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from customers.models import (
    Activity,
    CustomerExport,
    CustomerNote,
    CustomerProfile,
    CustomerScore,
    DuplicateCandidate,
    IdentityAlias,
    ImportChange,
    ProfileMerge,
    SyncLog,
    TaggingTarget,
)


@dataclass(frozen=True)
class Belonging:
    """Rows of one table that name a customer in ``field``.

    ``one`` and ``many`` are what people call them. ``stays`` says why rows may stay with an
    absorbed profile; blank: they move to the survivor, all of them.
    """

    model: Any
    field: str
    one: str
    many: str
    stays: str = ""

    @property
    def column(self) -> str:
        return str(self.model._meta.get_field(self.field).column)

    @property
    def table(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def label(self) -> str:
        return str(self.model._meta.label)

    def count_words(self, count: int) -> str:
        return f"{count:,} {self.one if count == 1 else self.many}"


_belongings: dict[tuple[str, str], Belonging] = {}


def register_belonging(
    model: type[models.Model], field: str = "customer", *, one: str, many: str, stays: str = ""
) -> None:
    made = Belonging(model, field, one, many, stays)
    _belongings[made.table, made.column] = made


def belongings() -> list[Belonging]:
    """All of them, in the order in which they were registered: lower apps first."""
    return list(_belongings.values())


def moving_belongings() -> Iterator[Belonging]:
    """Those whose rows a merge moves; a clash may leave single ones behind."""
    yield from (each for each in belongings() if not each.stays)


register_belonging(Activity, one="activity", many="activities")
register_belonging(CustomerNote, one="note", many="notes")
register_belonging(IdentityAlias, one="other identifier", many="other identifiers")
for _side in ("profile_a", "profile_b"):
    register_belonging(
        DuplicateCandidate,
        _side,
        one="possible duplicate",
        many="possible duplicates",
        stays="A pair moves unless the survivor is in such a pair already; then it is closed.",
    )
register_belonging(
    SyncLog,
    "customer_id",
    one="event",
    many="events",
    stays="The inbox says whom an event made or found at the time; that profile leads on.",
)
register_belonging(
    ImportChange,
    one="change by an import",
    many="changes by imports",
    stays="An import is undone on the profile that it changed.",
)
register_belonging(
    CustomerExport,
    one="export",
    many="exports",
    stays="A file says what was held about the profile that it was asked for.",
)
register_belonging(
    CustomerScore,
    one="week of scores",
    many="weeks of scores",
    stays="What was said of the absorbed profile then; the survivor is scored by what it has now.",
)
register_belonging(
    TaggingTarget,
    "customer_id",
    one="tag still to be put on",
    many="tags still to be put on",
    stays="A tagging under way passes over who is merged away; its list goes with it.",
)
register_belonging(
    CustomerProfile,
    "merged_into",
    one="merged profile",
    many="merged profiles",
    stays="A chain: who was merged into the absorbed profile is led on by it.",
)
for _side in ("survivor", "absorbed"):
    register_belonging(
        ProfileMerge, _side, one="merge", many="merges", stays="The record of what was merged."
    )
