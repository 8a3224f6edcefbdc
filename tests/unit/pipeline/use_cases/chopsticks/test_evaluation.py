"""The chopsticks golden rows reach the edges."""

from __future__ import annotations

from pipeline.use_cases.chopsticks.data import PEOPLE
from pipeline.use_cases.chopsticks.evaluation import GOLDEN_ROWS
from pipeline.use_cases.chopsticks.features import LONGEST, SHORTEST


def test_the_rows_differ():
    assert len({tuple(row.items()) for row in GOLDEN_ROWS}) == len(GOLDEN_ROWS)


def test_known_and_unknown_people_are_among_them():
    people = [row["individual"] for row in GOLDEN_ROWS if row["individual"] is not None]
    assert any(1 <= person <= PEOPLE for person in people)
    assert any(person > PEOPLE for person in people)
    assert min(people) == -(2**63)


def test_lengths_on_either_side_of_what_is_cut_off_are_among_them():
    lengths = [row["chopstick_length"] for row in GOLDEN_ROWS if row["chopstick_length"] is not None]
    assert min(lengths) < SHORTEST < LONGEST < max(lengths)


def test_each_column_is_missing_alone_and_both_together():
    missing = {tuple(value is None for value in row.values()) for row in GOLDEN_ROWS}
    assert missing == {(False, False), (True, False), (False, True), (True, True)}
