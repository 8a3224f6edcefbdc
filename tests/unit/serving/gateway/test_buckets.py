"""A key may make so many requests a minute, in one go or steadily."""

from __future__ import annotations

import pytest

from serving.gateway.buckets import TokenBuckets
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def buckets(clock):
    return TokenBuckets(clock)


def test_a_minutes_worth_may_come_at_once_and_then_it_is_told_when(buckets):
    assert [buckets.take("a", 3) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]


def test_it_fills_steadily_and_never_above_a_minutes_worth(buckets, clock):
    for _ in range(3):
        buckets.take("a", 3)
    clock.now = 20.0
    assert [buckets.take("a", 3), buckets.take("a", 3)] == [0.0, 20.0]
    clock.now = 1e6
    assert [buckets.take("a", 3) for _ in range(4)] == [0.0, 0.0, 0.0, 20.0]


def test_who_is_refused_pays_nothing(buckets, clock):
    for _ in range(50):
        buckets.take("a", 1)
    clock.now = 60.0
    assert buckets.take("a", 1) == 0.0


def test_names_do_not_share(buckets):
    assert (buckets.take("a", 1), buckets.take("b", 1)) == (0.0, 0.0)


def test_another_limit_counts_from_now_on(buckets):
    for _ in range(10):
        buckets.take("a", 10)
    assert buckets.take("a", 60) == 1.0
    for _ in range(5):
        assert buckets.take("b", 600) == 0.0
    assert [buckets.take("b", 1), buckets.take("b", 1)] == [0.0, 60.0]


def test_a_caller_that_rested_for_a_minute_makes_room_and_loses_nothing(clock):
    buckets = TokenBuckets(clock, most=2)
    assert [buckets.take("a", 1), buckets.take("b", 1)] == [0.0, 0.0]
    clock.now = 30.0
    assert buckets.take("a", 1) == 30.0
    assert buckets.take("c", 1) == 0.0  # in the place of b, which rested longest
    assert buckets.take("a", 1) == 30.0
    clock.now = 60.0
    assert buckets.take("b", 1) == 0.0


def test_there_are_never_more_than_so_many(clock):
    buckets = TokenBuckets(clock, most=100)
    for number in range(1000):
        buckets.take(number, 600)
    assert len(buckets._buckets) == 100
