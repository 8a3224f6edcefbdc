"""The metric gate: which thresholds that were not kept refuse a candidate."""

from __future__ import annotations

import pytest

from components.evaluator.judge import GATE, OVERALL, Failure, judge

EXAMPLES = {OVERALL: 5000.0, "hour=1": 100.0, "hour=2": 99.0}


def test_a_candidate_that_keeps_every_threshold_is_accepted():
    verdict = judge([], EXAMPLES, 100)
    assert verdict.accepted
    assert verdict.gate == GATE


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (Failure(OVERALL, "auc", 0.71, 0.85, "at least"), "threshold", "auc 0.7100 < 0.85"),
        (Failure(OVERALL, "loss", 0.7, 0.5, "at most"), "threshold", "loss 0.7000 > 0.5"),
        (Failure("hour=1", "auc", 0.5, 0.75, "at least"), "threshold", "auc 0.5000 < 0.75 for hour=1"),
        (
            Failure(OVERALL, "auc", -0.02, -0.01, "change"),
            "worse_than_champion",
            "auc changed by -0.0200 against the champion; allowed -0.0100",
        ),
        (
            Failure(OVERALL, "loss", 0.2, 0.1, "change"),
            "worse_than_champion",
            "loss changed by +0.2000 against the champion; allowed +0.1000",
        ),
        (Failure(OVERALL, "auc", None, 0.85, "at least"), "not_measured", "auc could not be measured"),
        (Failure(OVERALL, "auc", 0.9, None, "missing"), "not_measured", "auc could not be measured"),
        (Failure("hour=1", "", None, None, "missing"), "not_measured", "metrics for hour=1 could not be measured"),
        (Failure(OVERALL, "auc", float("nan"), 0.85, "at least"), "threshold", "auc nan < 0.85"),
    ],
)
def test_a_threshold_that_was_not_kept_is_a_reason_with_its_numbers(failure, code, message):
    (reason,) = judge([failure], EXAMPLES, 100).reasons
    assert (reason.code, reason.message) == (code, message)
    assert (reason.measured, reason.limit) == (failure.measured, failure.limit)


@pytest.mark.parametrize(("name", "judged"), [("hour=1", True), ("hour=2", False), ("hour=3", True), (OVERALL, True)])
def test_a_slice_with_too_few_rows_refuses_nothing_and_one_of_unknown_size_is_judged(name, judged):
    verdict = judge([Failure(name, "auc", 0.1, 0.75, "at least")], EXAMPLES, 100)
    assert verdict.accepted is not judged


def test_all_rows_together_are_judged_however_few():
    assert not judge([Failure(OVERALL, "auc", 0.1, 0.75, "at least")], {OVERALL: 3.0}, 100).accepted


@pytest.mark.parametrize("examples", [{}, {OVERALL: 0.0}, {"hour=1": 100.0}])
def test_nothing_measured_is_never_good_enough(examples):
    (reason,) = judge([], examples, 100).reasons
    assert reason.code == "no_examples"


def test_all_rows_come_first_and_nothing_twice():
    overall, late, early = (Failure(name, "auc", 0.1, 0.75, "at least") for name in (OVERALL, "hour=9", "hour=10"))
    examples = {OVERALL: 900.0, "hour=9": 300.0, "hour=10": 300.0}
    messages = [reason.message for reason in judge([late, early, overall, early], examples, 100).reasons]
    assert messages == ["auc 0.1000 < 0.75", "auc 0.1000 < 0.75 for hour=10", "auc 0.1000 < 0.75 for hour=9"]
