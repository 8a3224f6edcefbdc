"""Times of requests and of publications, without a clock."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.swap.plan import STEADY, SWAPS, Plan

PLAN = Plan(seconds=60, swaps=20, rate=100, rounds=5, warm_up=3)
PLANS = [PLAN, Plan(seconds=12, swaps=4, rounds=2), Plan(seconds=10, swaps=3, rounds=4), Plan(seconds=7, swaps=1, rounds=1)]


@pytest.mark.parametrize("plan", PLANS)
def test_there_is_as_much_time_with_swaps_as_without(plan):
    times = [number / 100 for number in range(round(plan.end * 100) + 100)]
    assert Counter(plan.phase(time) for time in times) == {
        STEADY: round(plan.seconds * 100),
        SWAPS: round(plan.seconds * 100),
        None: round(plan.warm_up * 100) + 100,
    }


@pytest.mark.parametrize(("time", "phase"), [(0, None), (2.99, None), (3, STEADY), (14.9, STEADY), (15, SWAPS), (27, STEADY), (123, None)])
def test_blocks_take_turns(time, phase):
    assert PLAN.phase(time) == phase


@pytest.mark.parametrize("plan", PLANS)
def test_every_version_is_published_in_a_block_with_swaps(plan):
    times = plan.publications()
    assert len(times) == plan.swaps
    assert times == sorted(times)
    assert {plan.phase(time + 1e-6) for time in times} == {SWAPS}


def test_versions_are_as_far_apart_as_the_time_with_swaps_allows():
    assert PLAN.publications()[:5] == pytest.approx([15, 18, 21, 24, 39])


def test_requests_come_at_the_rate_over_each_transport():
    arrivals = list(Plan(seconds=1, warm_up=1, rate=10).arrivals())
    assert Counter(transport for _, transport in arrivals) == {"REST": 30, "gRPC": 30}
    assert [time for time, _ in arrivals[:4]] == pytest.approx([0, 0.05, 0.1, 0.15])
