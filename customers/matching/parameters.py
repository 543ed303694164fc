"""What must be counted anew in each club: how often strangers agree by chance (u), and how many
profiles there are twice. How often one person's profiles agree (m) is the reviewed model's.
"""

import copy
from dataclasses import dataclass
from typing import Any

# How far the model's own u is trusted against what is counted: as much as so many pairs.
PRIOR_PAIRS = 300_000
# And its share of a name or a birth date: as much as so many bearers.
PRIOR_BEARERS = 20_000
SAMPLE_SIDE = 700
# The strict rules find so much of what there is; small clubs may have none to find.
STRICT_RECALL = 0.7
LEAST_DUPLICATES_PER_PROFILE = 0.02
# Relatives who share something, per profile, where few could be counted.
LEAST_SHARERS_PER_PROFILE = 0.01
# Homes written in two ways, of those written in one.
SIMILAR_ADDRESSES = 0.15

SAME_NAME, SIMILAR_ADDRESS, SAME_ADDRESS = "same name", "similar address", "same address"
SHARED = ("same e-mail, same phone", "same e-mail", "same phone", SAME_ADDRESS)
COMPARED = (
    *(
        "fn",
        "roots",
        "ln",
        "parts",
        "fullname",
        "dob",
        "digits",
        "email",
        "phone",
        "addr",
        "number",
    ),
    *("street", "pc", "town", "claimed_emails", "claimed_phones"),
)
PAIRED = ", ".join(f"l.{name} AS {name}_l, r.{name} AS {name}_r" for name in COMPARED)

STRICT = """
SELECT count(*) FROM (
    SELECT l.unique_id, r.unique_id FROM people AS l JOIN people AS r
        ON l.k_email = r.k_email AND l.unique_id < r.unique_id
    WHERE list_has_any(l.roots, r.roots)
    UNION
    SELECT l.unique_id, r.unique_id FROM people AS l JOIN people AS r
        ON l.k_phone = r.k_phone AND l.unique_id < r.unique_id
    WHERE list_has_any(l.roots, r.roots)
    UNION
    SELECT l.unique_id, r.unique_id FROM people AS l JOIN people AS r
        ON l.k_names_birth = r.k_names_birth AND l.unique_id < r.unique_id
)
"""
# Relatives: they share a mailbox, a phone or a home, and their first names cannot be one person's.
SHARERS = """
WITH home AS (
    SELECT unique_id, hash(addr, coalesce(pc, town)) AS home FROM people
    WHERE addr IS NOT NULL AND coalesce(pc, town) IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY home) <= 30
), sharing AS (
    SELECT l.unique_id AS one, r.unique_id AS other FROM people AS l JOIN people AS r
        ON l.k_email = r.k_email AND l.unique_id < r.unique_id
    UNION
    SELECT l.unique_id, r.unique_id FROM people AS l JOIN people AS r
        ON l.k_phone = r.k_phone AND l.unique_id < r.unique_id
    UNION
    SELECT l.unique_id, r.unique_id FROM home AS l JOIN home AS r
        ON l.home = r.home AND l.unique_id < r.unique_id
), paired AS (
    SELECT {paired} FROM sharing JOIN people AS l ON l.unique_id = one
        JOIN people AS r ON r.unique_id = other
)
SELECT {level}, count(*) FROM paired WHERE contradict(fn_l, roots_l, fn_r, roots_r) GROUP BY 1
"""
NAMESAKES = """
SELECT coalesce(sum(bearers * (bearers - 1) // 2), 0) FROM (
    SELECT count(*) AS bearers FROM people WHERE fullname IS NOT NULL GROUP BY fullname
)
"""
# Always the same people for the same rows.
SAMPLE = """
CREATE TABLE sampled AS
WITH drawn AS (
    SELECT *, row_number() OVER (ORDER BY hash(unique_id)) AS place FROM people
    ORDER BY hash(unique_id) LIMIT 2 * {side}
), paired AS (
    SELECT {paired} FROM drawn AS l JOIN drawn AS r
        ON CASE WHEN (SELECT count(*) FROM drawn) < 2 * {side} THEN l.place < r.place
            ELSE l.place <= {side} AND r.place > {side} END
)
SELECT {levels} FROM paired
"""
# Strangers: nothing beside the comparison in question says that the two are one.
STRANGERS = {
    "name": "birth IS DISTINCT FROM 'same date of birth' AND "
    "(contact IS NULL OR contact IN ('same postcode', 'same town', 'different contact details'))",
    "birth": "name IN ('different name', 'different first name, same last name')",
    "contact": "name IN ('different name', 'different first name, same last name')",
}


@dataclass(frozen=True)
class Parameters:
    """``prior`` is the probability that two profiles taken at random are one person; ``u`` is by
    comparison and label of the level."""

    prior: float
    u: dict[str, dict[str, float]]


def measure(connection: Any, settings: dict[str, Any], profile_count: int) -> Parameters:
    """Count in ``people``."""
    pair_count = max(1, profile_count * (profile_count - 1) // 2)
    comparisons = {each["output_column_name"]: each for each in settings["comparisons"]}
    strict = _count(connection, STRICT)
    levels = ", ".join(f"{_level(each)} AS {name}" for name, each in comparisons.items())
    connection.execute(SAMPLE.format(paired=PAIRED, levels=levels, side=SAMPLE_SIDE))
    u = {name: _blend(connection, name, each) for name, each in comparisons.items()}
    connection.execute("DROP TABLE sampled")
    u["contact"] |= _sharers(connection, comparisons["contact"], profile_count, pair_count)
    namesakes = max(0, _count(connection, NAMESAKES) - strict)
    u["name"][SAME_NAME] = _mix(namesakes, pair_count, _prior_u(comparisons["name"])[SAME_NAME])
    duplicates = max(strict / STRICT_RECALL, LEAST_DUPLICATES_PER_PROFILE * profile_count)
    return Parameters(prior=min(0.01, duplicates / pair_count), u=u)


def put(settings: dict[str, Any], parameters: Parameters) -> dict[str, Any]:
    """The model's settings with what was measured."""
    filled = copy.deepcopy(settings)
    filled["probability_two_random_records_match"] = parameters.prior
    for comparison in filled["comparisons"]:
        measured = parameters.u[comparison["output_column_name"]]
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                level["u_probability"] = measured[level["label_for_charts"]]
    return filled


def make_frequencies(connection: Any, column: str, u: float) -> str:
    """A table of how common each value is among strangers; returns its name.

    The pair itself is left out: in a small club it would make every shared name look common.
    """
    table = f"frequency_of_{column}"
    connection.execute(
        f"CREATE TABLE {table} AS SELECT {column}, "
        f"(greatest(count(*) - 2, 0) + $bearers * $u) / "
        f"((SELECT count({column}) FROM people) + $bearers) AS tf_{column} "
        f"FROM people WHERE {column} IS NOT NULL GROUP BY {column}",
        {"bearers": PRIOR_BEARERS, "u": u},
    )
    return table


def _level(comparison: dict[str, Any]) -> str:
    """SQL for the label of the level that a pair reaches; null where nothing can be compared."""
    branches = []
    for level in comparison["comparison_levels"]:
        label = "NULL" if level.get("is_null_level") else f"'{level['label_for_charts']}'"
        condition = level["sql_condition"]
        branches.append(
            f"ELSE {label}" if condition == "ELSE" else f"WHEN {condition} THEN {label}"
        )
    return f"CASE {' '.join(branches)} END"


def _prior_u(comparison: dict[str, Any]) -> dict[str, float]:
    return {
        level["label_for_charts"]: level["u_probability"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    }


def _blend(connection: Any, name: str, comparison: dict[str, Any]) -> dict[str, float]:
    counted = dict(
        connection.execute(
            f"SELECT {name}, count(*) FROM sampled "
            f"WHERE {name} IS NOT NULL AND {STRANGERS[name]} GROUP BY {name}"
        ).fetchall()
    )
    total = sum(counted.values())
    return {
        label: _mix(counted.get(label, 0), total, u) for label, u in _prior_u(comparison).items()
    }


def _sharers(
    connection: Any, contact: dict[str, Any], profile_count: int, pair_count: int
) -> dict[str, float]:
    counted = dict(
        connection.execute(SHARERS.format(paired=PAIRED, level=_level(contact))).fetchall()
    )
    least = LEAST_SHARERS_PER_PROFILE * profile_count
    u = {label: (counted.get(label, 0) + least) / pair_count for label in SHARED}
    return u | {SIMILAR_ADDRESS: SIMILAR_ADDRESSES * u[SAME_ADDRESS]}


def _mix(count: float, total: float, prior: float) -> float:
    return (count + PRIOR_PAIRS * prior) / (total + PRIOR_PAIRS)


def _count(connection: Any, statement: str) -> int:
    ((count,),) = connection.execute(statement).fetchall()
    return int(count)
