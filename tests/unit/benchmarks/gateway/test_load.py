"""h2load's logs become latencies of what was answered, and counts of the rest."""

from __future__ import annotations

import pytest

from benchmarks.gateway.load import Answers, parse
from benchmarks.serve.sample import NoSample


def lines(*rows: tuple[float, str, float]) -> list[str]:
    """(start in seconds, status, milliseconds)."""
    return [f"{int(start * 1e6)}\t{status}\t{int(took * 1e3)}" for start, status, took in rows]


def test_answers_are_told_from_what_was_turned_away_and_what_failed():
    found = parse(lines((0, "200", 9), (1, "200", 2), (2, "503", 1), (2, "429", 1), (3, "200", 4), (3, "500", 1), (3, "-1", 0)))
    assert found == Answers((2.0, 4.0), shed=2, failed=2, seconds=2.0)
    assert (found.offered, found.rate) == (3.0, 1.0)


def test_the_beginning_is_not_looked_at():
    assert parse(lines((0, "200", 9), (0.5, "500", 9), (2, "200", 1)), settling=1.0).good == (1.0,)


@pytest.mark.parametrize(("part", "expected"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)])
def test_a_quantile_is_one_of_the_answers(part, expected):
    assert Answers(tuple(float(number) for number in range(100, 0, -1)), 0, 0, 1.0).quantile(part) == expected


def test_nothing_measured_is_told():
    with pytest.raises(NoSample, match="logged nothing"):
        parse([])
    with pytest.raises(NoSample, match="no request was answered"):
        parse(lines((0, "503", 1), (2, "503", 1))).quantile(0.5)
