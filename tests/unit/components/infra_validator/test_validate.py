"""The infra gate puts its checks together into one verdict."""

from __future__ import annotations

import numpy as np

from components.infra_validator.checks import Answer
from components.infra_validator.validate import GATE, MOST_REASONS, Limits, Observation, validate
from serving.golden import GoldenRequest

LIMITS = Limits(60, 1e-5)
RIGHT = GoldenRequest("predict", {}, {"y": np.array([0.5])})
BROKEN = GoldenRequest("predict", {}, {"y": np.array([float("nan")])})


def answered(value, request=RIGHT, transport="rest"):
    return Answer(transport, request, {"y": np.array([value])})


def codes(seen):
    return [reason.code for reason in validate(seen, LIMITS).reasons]


def test_a_candidate_that_loads_and_answers_rightly_is_accepted():
    verdict = validate(Observation(1.5, None, [answered(0.5), answered(0.5, transport="grpc")], 1), LIMITS)
    assert verdict.accepted
    assert verdict.gate == GATE


def test_a_candidate_that_does_not_load_is_refused_for_that_alone():
    assert codes(Observation(None, "broken", (), 1)) == ["not_loadable"]


def test_a_candidate_without_questions_is_refused():
    assert codes(Observation(1.0, None, (), 0)) == ["no_golden_requests"]


def test_every_trouble_is_told():
    seen = Observation(90.0, None, [answered(0.6), answered(0.7, transport="grpc"), Answer("rest", RIGHT, None, "no")], 1)
    assert codes(seen) == ["slow_load", "other_answer", "other_answer", "no_answer"]


def test_a_model_that_agrees_with_itself_on_nan_is_refused():
    (reason,) = validate(Observation(1.0, None, [answered(float("nan"), BROKEN)], 1), LIMITS).reasons
    assert (reason.code, reason.message) == ("not_finite", "predict: y is NaN or infinite in the trainer's own answer")


def test_the_same_reason_is_told_once():
    assert len(codes(Observation(1.0, None, [answered(0.6)] * 3, 3))) == 1


def test_a_person_reads_the_first_few_reasons():
    assert len(codes(Observation(1.0, None, [answered(float(value)) for value in range(1, 50)], 49))) == MOST_REASONS
