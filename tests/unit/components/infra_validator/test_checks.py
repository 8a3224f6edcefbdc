"""Each check of the infra gate finds its own trouble and no other."""

from __future__ import annotations

import numpy as np
import pytest

from components.infra_validator import checks
from components.infra_validator.checks import Answer
from serving.golden import GoldenRequest

NAN, INF = float("nan"), float("inf")


def request(**outputs):
    return GoldenRequest("predict", {}, {name: np.asarray(value) for name, value in outputs.items()})


def answer(got, right, transport="rest"):
    return Answer(transport, request(y=right), {"y": np.asarray(got)})


def codes(reasons):
    return [reason.code for reason in reasons]


def test_a_model_that_loads_passes():
    assert checks.loads(None) == []


def test_a_model_that_does_not_load_is_told_with_the_servers_words():
    (reason,) = checks.loads("Op type not registered 'Magic'")
    assert reason.code == "not_loadable"
    assert "Op type not registered 'Magic'" in reason.message


@pytest.mark.parametrize(("seconds", "slow"), [(None, False), (0.0, False), (60.0, False), (60.01, True), (600.0, True)])
def test_loading_must_not_take_longer_than_the_limit(seconds, slow):
    assert codes(checks.loads_in_time(seconds, 60)) == ["slow_load"] * slow


def test_a_slow_load_tells_both_numbers():
    (reason,) = checks.loads_in_time(75.456, 60)
    assert (reason.measured, reason.limit) == (75.46, 60)
    assert reason.message == "loading took 75.5 s; allowed 60 s"


@pytest.mark.parametrize(("requests", "missing"), [(0, True), (1, False), (9, False)])
def test_there_must_be_something_to_ask(requests, missing):
    assert codes(checks.has_golden(requests)) == ["no_golden_requests"] * missing


def test_a_server_must_answer():
    assert checks.answers(answer([1.0], [1.0])) == []
    (reason,) = checks.answers(Answer("grpc", request(y=[1.0]), None, "INVALID_ARGUMENT: no"))
    assert (reason.code, reason.message) == ("no_answer", "predict over grpc: INVALID_ARGUMENT: no")
    # Where there is no answer there is nothing to compare.
    assert checks.agrees(Answer("grpc", request(y=[1.0]), None, "no"), 1e-5) == []


@pytest.mark.parametrize(
    ("got", "right", "tolerance"),
    [
        ([0.5], [0.5], 0),
        ([0.500004], [0.5], 1e-5),  # absolute, below 1
        ([1000.004], [1000.0], 1e-5),  # relative, above
        ([[1.0, 2.0]], [[1.0, 2.0]], 0),
        ([], [], 0),
        (3.0, 3.0, 0),
        ([1, 2], [1, 2], 0),
        ([True, False], [True, False], 0),
        (np.array([b"a", "ü"], object), np.array(["a", "ü".encode()], object), 0),
    ],
)
def test_an_answer_that_is_the_trainers_agrees(got, right, tolerance):
    assert checks.agrees(answer(got, right), tolerance) == []


@pytest.mark.parametrize(
    ("got", "right", "code"),
    [
        ([0.50002], [0.5], "other_answer"),
        ([1000.02], [1000.0], "other_answer"),
        ([-0.5], [0.5], "other_answer"),
        ([0, 1], [0, 2], "other_answer"),
        ([NAN], [0.5], "not_finite"),
        ([INF], [0.5], "not_finite"),
        ([0.5, 0.5], [0.5], "other_shape"),
        ([[0.5]], [0.5], "other_shape"),
        (0.5, [0.5], "other_shape"),
        (2.0, 1.0, "other_answer"),
        (np.array([b"a"], object), np.array([b"b"], object), "other_answer"),
    ],
)
def test_an_answer_that_is_not_is_refused(got, right, code):
    (reason,) = checks.agrees(answer(got, right), 1e-5)
    assert reason.code == code
    assert reason.message.startswith("predict over rest: y ")


@pytest.mark.parametrize(
    ("got", "right"),
    [
        (np.array([b"a"], object), [0.5]),
        (np.array(["0.5"], object), [0.5]),
        ([0.5], np.array([b"a"], object)),
        ([3], np.array([b"a"], object)),
    ],
)
def test_a_text_where_a_number_is_due_is_another_answer(got, right):
    (reason,) = checks.agrees(answer(got, right), 1e-5)
    assert reason.code == "other_type"


def test_the_worst_row_is_named_with_its_distance():
    (reason,) = checks.agrees(answer([[0.1, 0.2], [0.1, 0.7], [0.15, 0.2]], [[0.1, 0.2]] * 3), 1e-5)
    assert reason.message == "predict over rest: y of row 1 is 0.5 away from the trainer's answer; allowed 1e-05"
    assert (reason.measured, reason.limit) == (pytest.approx(0.5), 1e-5)


def test_the_first_text_that_differs_is_named():
    (reason,) = checks.agrees(answer(np.array(["a", "b", "c"], object), np.array(["a", "x", "y"], object)), 0)
    assert reason.message == "predict over rest: y of row 1 is 'b', the trainer said 'x'"
    assert (reason.measured, reason.limit) == (2, 0)


@pytest.mark.parametrize("outputs", [{}, {"z": np.zeros(1)}, {"y": np.zeros(1), "z": np.zeros(1)}])
def test_other_outputs_are_refused(outputs):
    (reason,) = checks.agrees(Answer("rest", request(y=[0.0]), outputs), 1e-5)
    assert reason.code == "other_outputs"


def test_each_output_is_compared():
    found = Answer("rest", request(a=[1.0], b=[1.0], c=[1.0]), {"a": np.array([9.0]), "b": np.array([1.0]), "c": np.array([NAN])})
    assert codes(checks.agrees(found, 1e-5)) == ["other_answer", "not_finite"]


@pytest.mark.parametrize(
    ("right", "broken"),
    [([0.5], False), ([NAN], True), ([0.5, -INF], True), ([1], False), (np.array([b"nan"], object), False), ([], False)],
)
def test_a_trainer_that_answers_nan_is_refused(right, broken):
    assert codes(checks.finite(request(y=right))) == ["not_finite"] * broken
