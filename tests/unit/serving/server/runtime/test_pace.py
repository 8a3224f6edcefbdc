"""When calls of a model count as quick."""

from __future__ import annotations

import pytest

from serving.server.runtime.pace import QUICK_SECONDS, Pace

QUICK, NEITHER, SLOW = QUICK_SECONDS / 2, QUICK_SECONDS * 2, QUICK_SECONDS * 4
ENOUGH = 16


@pytest.mark.parametrize(
    ("calls", "quick"),
    [
        ([], False),
        ([QUICK] * (ENOUGH - 1), False),
        ([QUICK] * ENOUGH, True),
        ([QUICK] * ENOUGH + [NEITHER] * 100, True),
        ([NEITHER] * 100, False),
        ([QUICK] * ENOUGH + [SLOW], False),
        ([QUICK] * ENOUGH + [SLOW] + [QUICK] * ENOUGH, False),
        ([QUICK] * ENOUGH + [SLOW] + [QUICK] * 2 * ENOUGH, True),
        ([QUICK] * 1000 + [SLOW], True),
        ([QUICK] * 1000 + [SLOW] * 2, False),
        ([SLOW] * 1000 + [QUICK] * 5 * ENOUGH, True),
        ([SLOW] * 1000 + [QUICK] * 5 * (ENOUGH - 1), False),
    ],
)
def test_many_quick_calls_are_needed_and_few_slow_ones_are_enough(calls, quick):
    pace = Pace()
    for seconds in calls:
        pace.saw(seconds)
    assert pace.quick is quick
