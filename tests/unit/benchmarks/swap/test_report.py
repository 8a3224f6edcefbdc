"""Figures and verdicts of requests that were made up."""

from __future__ import annotations

import json

import pytest

from benchmarks.swap.plan import STEADY, SWAPS, TRANSPORTS
from benchmarks.swap.report import Asked, Measured, Swap, by_phase, quantile


def answered(milliseconds: float, transport: str = "REST", error: str | None = None) -> Asked:
    return Asked(transport, 0.0, 0.0002, milliseconds / 1e3, error)


def both(*milliseconds: float) -> list[Asked]:
    return [answered(one, transport) for transport in TRANSPORTS for one in milliseconds]


def measured(**changes) -> Measured:
    values = {
        "model": "taxi",
        "requests": {STEADY: both(*[1.0] * 98, 4.0, 9.0), SWAPS: both(*[1.0] * 98, 6.0, 20.0)},
        "swaps": [Swap(2, took=1.4, load=0.3), Swap(3, took=0.5, load=0.3)],
        "poll": 1.0,
        "generator": 0.08,
        "load": 0.1,
    }
    return Measured(**{**values, **changes})


def holds(report: Measured) -> list[bool]:
    return [value for _, value, _ in report.verdicts()]


@pytest.mark.parametrize(
    ("values", "part", "value"),
    [([3, 1, 2], 0.5, 2), ([1, 2], 0.5, 1), (range(1, 101), 0.99, 99), (range(1, 101), 1.0, 100), ([7], 0.01, 7), ([], 0.5, 0)],
)
def test_a_quantile_is_a_value_that_was_measured(values, part, value):
    assert quantile(list(values), part) == value


def test_requests_are_told_apart_by_when_they_were_due():
    early, late, other = (Asked("REST", due, 0.0, 0.001) for due in (1.0, 2.0, 3.0))
    assert by_phase([late, other, early], {1.0: STEADY, 2.0: SWAPS, 3.0: None}.get) == {STEADY: [early], SWAPS: [late]}


def test_the_ratio_is_of_the_p99s():
    assert measured().ratio("gRPC") == pytest.approx(1.5)


def test_all_is_well():
    assert holds(measured()) == [True, True, True]


def test_one_failed_request_is_too_many_in_either_phase():
    for phase in (STEADY, SWAPS):
        requests = {**measured().requests, phase: [*both(1.0), answered(1.0, error="Wrong: y is 3")]}
        (claim, good, why), *_ = measured(requests=requests).verdicts()
        assert (claim, good) == ("no request fails", False)
        assert "the first: Wrong: y is 3" in why


def test_one_transport_that_is_slow_during_swaps_is_enough():
    slow = [answered(1.0), *[answered(9.0, "gRPC")] * 3]
    assert holds(measured(requests={**measured().requests, SWAPS: slow})) == [True, False, True]


@pytest.mark.parametrize(
    ("swap", "good"),
    [(Swap(4, 1.79, 0.3), True), (Swap(4, 1.81, 0.3), False), (Swap(4, None), False), (Swap(4, 2.6, 1.2), True)],
)
def test_a_version_has_a_poll_interval_its_load_and_half_a_second(swap, good):
    assert holds(measured(swaps=[swap]))[2] is good


def test_the_text_shows_figures_and_verdicts():
    text = measured().as_text()
    for shown in ("REST  swaps      1.00     6.00    20.00", "0.50 to 1.40 s", "0.30 s load", "8% of a core", "yes (0 of 400)", "1.50x"):
        assert shown in text


def test_the_json_holds_the_same():
    values = json.loads(json.dumps(measured(swaps=[Swap(2, None)]).as_json()))
    assert values["transports"]["REST"]["swaps"] == {"requests": 100, "p50_ms": 1.0, "p99_ms": 6.0, "max_ms": 20.0}
    assert values["transports"]["REST"]["ratio"] == 1.5
    assert values["swaps"] == [{"version": 2, "took_s": None, "load_s": 0.0}]
    assert [one["holds"] for one in values["verdicts"]] == [True, True, False]
