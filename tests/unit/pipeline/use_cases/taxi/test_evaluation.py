"""The taxi golden rows reach the edges."""

from __future__ import annotations

from pipeline.use_cases.taxi.evaluation import GOLDEN_ROWS
from pipeline.use_cases.taxi.features import AREAS, CALENDAR


def test_the_rows_differ():
    assert len({tuple(row.items()) for row in GOLDEN_ROWS}) == len(GOLDEN_ROWS)


def test_the_edges_are_among_them():
    values = {name: [row[name] for row in GOLDEN_ROWS] for name in GOLDEN_ROWS[0]}
    assert 0.0 in values["fare"]
    assert any(not value.isascii() for value in values["company"] if value)
    # Beyond the range of a one-hot feature.
    assert any(value is not None and value >= depth for name, depth in {**CALENDAR, **AREAS}.items() for value in values[name])


def test_one_row_lacks_everything_that_may_be_missing():
    assert max(sum(value is None for value in row.values()) for row in GOLDEN_ROWS) >= len(GOLDEN_ROWS[0]) - 3
