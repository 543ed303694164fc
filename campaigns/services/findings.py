"""What a review says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    RED = "red"  # It must be mended first.
    AMBER = "amber"  # Somebody should know.
    GREEN = "green"  # Looked at, and well.


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``path`` is the field where it is mended."""

    level: Level
    code: str
    message: str
    path: str
