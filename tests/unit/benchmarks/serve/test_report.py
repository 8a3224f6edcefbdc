"""Medians, ratios and verdicts of samples that were made up."""

import json

import pytest

from benchmarks.serve.report import Report, Row, summed
from benchmarks.serve.sample import Sample

REST = Row("half_plus_two", "REST", 16)
GRPC = Row("half_plus_two", "gRPC", 16)
CNN = Row("cnn", "REST", 1)


def sample(rate: float, failed: int = 0) -> Sample:
    return Sample(rate, p50=1.0, p99=2.0, requests=int(rate), failed=failed)


def report(samples, **changes) -> Report:
    values = {
        "ours": "sluiceway",
        "titles": {"sluiceway": "sluiceway", "litserve": "LitServe", "ray_serve": "Ray Serve"},
        "setups": {"sluiceway": "--workers=2"},
        "samples": samples,
        "limits": {"half_plus_two": [1000.0, 4000.0, 2000.0]},
        "failures": {},
        "load": [0.1],
    }
    return Report(**{**values, **changes})


def test_a_cell_is_the_median_of_its_rounds_and_the_sum_of_its_failures():
    cell = summed([sample(100, failed=1), sample(900), sample(200, failed=2)])
    assert (cell.rate, cell.requests, cell.failed) == (200, 1200, 3)


def test_ours_is_held_against_the_fastest_other():
    measured = report({REST: {"sluiceway": [sample(300)], "litserve": [sample(50)], "ray_serve": [sample(100)]}})
    assert measured.best_other(REST) == ("ray_serve", 100)
    assert measured.ratio(REST) == 3.0


def test_ours_is_held_against_the_median_limit():
    assert report({REST: {"sluiceway": [sample(500)]}}).of_limit(REST) == 0.25


def test_alone_in_a_row_there_is_no_ratio():
    alone = report({GRPC: {"sluiceway": [sample(300)]}, REST: {"ray_serve": [sample(100)]}})
    assert alone.ratio(GRPC) is None
    assert alone.ratio(REST) is None


@pytest.mark.parametrize(
    ("small", "cnn", "holds"),
    [(300, 100, [True, True]), (299, 100, [False, True]), (300, 99, [True, False]), (99, 99, [False, False])],
)
def test_the_verdicts_ask_three_times_of_small_models_and_no_less_anywhere(small, cnn, holds):
    others = {"ray_serve": [sample(100)]}
    measured = report({REST: {"sluiceway": [sample(small)], **others}, CNN: {"sluiceway": [sample(cnn)], **others}})
    assert [verdict[1] for verdict in measured.verdicts()] == holds


def test_a_verdict_names_the_rows_that_fall_short():
    measured = report({CNN: {"sluiceway": [sample(50)], "ray_serve": [sample(100)]}})
    assert measured.verdicts()[1][2] == "cnn REST 1 0.50x"


def test_what_was_not_measured_is_no_verdict():
    assert [verdict[1] for verdict in report({}).verdicts()] == [None, None]


def test_without_a_product_that_was_asked_for_a_claim_is_refuted_or_open_but_not_confirmed():
    others = {"ray_serve": [sample(100)]}
    fast = report({CNN: {"sluiceway": [sample(200)], **others}}, failures={"litserve, cnn": "ended with 1"})
    slow = report({CNN: {"sluiceway": [sample(50)], **others}}, failures={"litserve, cnn": "ended with 1"})
    assert fast.verdicts()[1][1:] == (None, "cnn REST 1 2.00x; without litserve, cnn")
    assert slow.verdicts()[1][1] is False


def test_the_report_is_plain_values():
    measured = report({REST: {"sluiceway": [sample(300, failed=2)], "ray_serve": [sample(100)]}}, failures={"mlflow": "no such package"})
    values = json.loads(json.dumps(measured.as_json()))
    assert values["rows"][0]["ratio"] == 3.0
    assert values["rows"][0]["products"]["sluiceway"]["failed"] == 2
    assert values["failures"] == {"mlflow": "no such package"}
