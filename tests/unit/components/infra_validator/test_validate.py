"""The infra gate puts its checks together into one verdict."""

from __future__ import annotations

import numpy as np

from components.infra_validator.checks import Answer
from components.infra_validator.validate import GATE, MOST_REASONS, Limits, Observation, figures_of, on_every, validate
from serving.golden import GoldenRequest
from serving.verdict import Reason, Verdict

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


def refused(*messages):
    return Verdict(GATE, tuple(Reason("no_answer", message) for message in messages))


def test_the_verdict_of_one_server_is_the_verdict():
    assert on_every({"embedded": refused("no")}) == refused("no")


def test_a_candidate_must_pass_on_every_server():
    assert on_every({"image:1": Verdict(GATE), "image:2": Verdict(GATE)}).accepted
    assert not on_every({"image:1": Verdict(GATE), "image:2": refused("no")}).accepted


def test_with_several_servers_each_reason_says_where():
    both = on_every({"image:1": refused("no"), "image:2": refused("no")})
    assert [reason.message for reason in both.reasons] == ["on image:1: no", "on image:2: no"]


def test_the_reasons_of_one_server_do_not_hide_anothers():
    many = [str(number) for number in range(MOST_REASONS)]
    both = on_every({"image:1": refused(*many), "image:2": refused("no")})
    assert len(both.reasons) <= MOST_REASONS
    assert both.reasons[-1].message == "on image:2: no"


def test_the_figures_tell_the_longest_load_and_every_servers():
    quick, slow = Observation(1.0, None, [answered(0.5)], 1), Observation(2.0, None, [answered(0.5)], 1)
    assert figures_of({"one": quick}) == {"load_seconds": 1.0, "answers": 1}
    assert figures_of({"a": quick, "b": slow}) == {"load_seconds": 2.0, "answers": 2, "servers": {"a": 1.0, "b": 2.0}}
    assert figures_of({"a": quick, "b": Observation(None, "no", (), 1)})["load_seconds"] is None
