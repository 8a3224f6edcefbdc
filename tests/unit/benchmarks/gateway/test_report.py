"""The report holds what was measured against what is claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gateway.report import Report, Round, Swaps

GOOD = Round(
    rest=0.4, grpc=0.8, gateway=2.0, capacity=1000.0, p99=50.0, offered=2000.0, accepted=900.0, accepted_p99=120.0, shed=500, failed=0
)
SWAPPED = Swaps(versions=6, requests=1000, failed=0, last=6)


def report(*rounds: Round, swaps: Swaps = SWAPPED) -> Report:
    return Report(rounds or (GOOD,), swaps, "concurrency 32, queue 64", [0.5])


def test_what_a_gateway_costs_is_the_difference_within_a_round():
    assert (GOOD.over_rest, GOOD.over_grpc, GOOD.times) == pytest.approx((1.6, 1.2, 2.4))


def test_everything_holds():
    assert all(holds for _, holds, _ in report().verdicts())
    assert "DOES NOT HOLD" not in report().as_text()


@pytest.mark.parametrize(
    ("rounds", "swaps", "broken"),
    [
        ([replace(GOOD, gateway=2.5)], SWAPPED, ["at most 2 ms over the server's REST (p50)"]),
        ([replace(GOOD, gateway=2.9)], SWAPPED, ["at most 2 ms over the server's REST (p50)", "at most 2 ms over the server's gRPC (p50)"]),
        ([replace(GOOD, accepted_p99=151.0)], SWAPPED, ["p99 of the accepted at most 3 times as long"]),
        ([replace(GOOD, shed=0)], SWAPPED, ["what is too much is turned away, and nothing fails"]),
        ([GOOD, replace(GOOD, failed=1)], SWAPPED, ["what is too much is turned away, and nothing fails"]),
        ([GOOD], replace(SWAPPED, failed=1), ["no request fails while versions are swapped"]),
        ([GOOD], replace(SWAPPED, last=5), ["no request fails while versions are swapped"]),
    ],
)
def test_what_does_not_hold_is_told(rounds, swaps, broken):
    assert [claim for claim, holds, _ in report(*rounds, swaps=swaps).verdicts() if not holds] == broken
    assert report(*rounds, swaps=swaps).as_text().count("DOES NOT HOLD") == len(broken)


def test_one_bad_round_of_three_does_not_decide():
    assert all(holds for _, holds, _ in report(GOOD, GOOD, replace(GOOD, gateway=9.0, accepted_p99=900.0)).verdicts())


def test_values_are_for_programs():
    found = report().as_json()
    assert found["rounds"][0]["times"] == 2.4
    assert [claim["holds"] for claim in found["claims"]] == [True] * 5
