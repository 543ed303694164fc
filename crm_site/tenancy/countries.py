"""Which country a time zone lies in, by the tz database's own table."""

from functools import cache
from importlib.resources import files

HOME = "ZA"


@cache
def _by_zone() -> dict[str, str]:
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in lines}


def country_of(time_zone: str) -> str:
    """ISO 3166-1 alpha-2 of an IANA zone; of one that names no place (UTC), our home market's."""
    return _by_zone().get(time_zone, HOME)
