"""The table of metrics."""

from __future__ import annotations

from serving.server import metric_families as families
from serving.server.metric_families import FAMILIES, exponential


def test_latencies_go_from_ten_microseconds_to_more_than_ten_minutes_in_33_steps():
    bounds = families.REQUEST_LATENCY.bounds
    assert len(bounds) == 33
    assert [f"{bound:g}" for bound in bounds[:4]] == ["10", "18", "32.4", "58.32"]
    assert bounds[-1] / 1e6 > 600


def test_bounds_are_multiplied_up_one_by_one():
    assert exponential(1, 2, 4) == (1, 2, 4, 8)
    assert exponential(10, 1.8, 3)[2] == 10 * 1.8 * 1.8


def test_every_metric_is_listed_once():
    declared = [value for value in vars(families).values() if isinstance(value, families.Family)]
    assert sorted(declared, key=id) == sorted(FAMILIES, key=id)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_only_distributions_have_bounds_and_only_ours_have_our_prefix():
    assert all(bool(family.bounds) == (family.kind == "histogram") for family in FAMILIES)
    assert all(family.ours == family.name.startswith("/sluiceway/") for family in FAMILIES)
