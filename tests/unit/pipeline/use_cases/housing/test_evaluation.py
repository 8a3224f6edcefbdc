"""The housing golden rows reach the edges."""

from __future__ import annotations

import pytest

from pipeline.use_cases.housing.evaluation import GOLDEN_ROWS
from pipeline.use_cases.housing.features import INPUTS


def test_the_rows_differ():
    assert len({tuple(row.items()) for row in GOLDEN_ROWS}) == len(GOLDEN_ROWS)


@pytest.mark.parametrize("value", [None, 0], ids=["nothing-known", "only-zeros"])
def test_a_row_of_one_value_is_among_them(value):
    assert dict.fromkeys(INPUTS, value) in GOLDEN_ROWS


def test_values_beyond_any_training_row_are_among_them():
    rooms = [row["RM"] for row in GOLDEN_ROWS if row["RM"] is not None]
    assert min(rooms) < 0
    assert max(rooms) > 20
