"""How many customers answer yes to which questions, and to any mix of them, in one pass.

Each customer gets a number with a bit for every question answered yes. How often each number
occurs then answers every mix, and no question is asked of anybody twice.
"""

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import BigIntegerField, Case, Func, Q, QuerySet, Value, When

from customers.models import CustomerProfile

# A condition over the numbers, in SQL; made of bits and nothing else.
Answer = str

EVERYBODY: Answer = "true"
MAX_QUESTIONS = 62  # Bits of a bigint that are not its sign.

COUNT = """
SELECT {counts}
FROM (SELECT answers, count(*) AS people FROM ({asked}) AS each GROUP BY answers) AS patterns
"""


class Tally:
    """Questions to be asked of customers together; at most MAX_QUESTIONS."""

    def __init__(self) -> None:
        self._questions: list[Q] = []

    def ask(self, question: Q) -> Answer:
        """Add a question; returns how its answer is named in what is counted."""
        self._questions.append(question)
        return f"(answers & {_bit(len(self._questions) - 1)} <> 0)"

    def count(
        self, people: QuerySet[CustomerProfile], wanted: Mapping[str, Answer]
    ) -> dict[str, int]:
        """How many of ``people`` each wanted answer is true of."""
        asked = people.order_by().annotate(answers=self._answers()).values("answers")
        inner, params = asked.query.sql_with_params()
        counts = ", ".join(
            f"coalesce(sum(people) FILTER (WHERE {answer}), 0)::bigint"
            for answer in wanted.values()
        )
        with connection.cursor() as cursor:
            # What is counted per customer is kept in a hash; too small a one is asked row by row.
            cursor.execute("SELECT set_config('work_mem', '64MB', true)")
            cursor.execute(COUNT.format(counts=counts, asked=inner), params)
            found = cursor.fetchone()
        return dict(zip(wanted, found, strict=True))

    def _answers(self) -> Func:
        bits = [
            Case(When(question, then=Value(_bit(index))), default=Value(0))
            for index, question in enumerate(self._questions)
        ]
        joined = Func(
            *bits,
            template="(%(expressions)s)",
            arg_joiner=" | ",
            output_field=BigIntegerField(),
        )
        return Func(joined, template="(%(expressions)s)::bigint", output_field=BigIntegerField())


def all_of(answers: Iterable[Answer]) -> Answer:
    return _joined(answers, " AND ")


def any_of(answers: Iterable[Answer]) -> Answer:
    return _joined(answers, " OR ")


def opposite(answer: Answer) -> Answer:
    return f"(NOT {answer})"


def _joined(answers: Iterable[Answer], sign: str) -> Answer:
    return f"({sign.join(answers)})"


def _bit(index: int) -> int:
    return 1 << index
