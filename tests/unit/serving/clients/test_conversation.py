"""What is asked for each call, in which order, and what is made of the answers. The transport is a script."""

from __future__ import annotations

import numpy as np
import pytest

from serving.clients.base import Outputs, Signatures, bad_request, error_for
from serving.clients.conversation import Conversation, target_of
from serving.clients.options import Options
from serving.errors import BadRequest, ModelNotFound, PredictError
from serving.protocol.routes import Target
from serving.protocol.signature import DEFAULT_SIGNATURE, SignatureSpec, TensorSpec
from serving.protocol.status import Code, State, VersionStatus
from tests.unit.serving.clients.scripted import Clock, drive

M = Target("m")


class Words:
    """A dialect of tuples; an answer that reads "junk" is not one."""

    def predict(self, target, inputs, spec, signature):
        if any(isinstance(value, str) for value in inputs.values()):
            raise bad_request("no text")
        return ("predict", target, dict(inputs), spec.inputs.keys(), signature)

    def read_outputs(self, answer, spec):
        if answer == "junk" or set(answer) != set(spec.outputs):
            raise ValueError("not the outputs")
        return Outputs({name: np.asarray(value) for name, value in answer.items()}, 5)

    def status(self, target):
        return ("status", target)

    def metadata(self, target):
        return ("metadata", target)

    def read(self, answer):
        if answer == "junk":
            raise ValueError("junk")
        return answer

    read_status = read_metadata = read


def signatures(*inputs, outputs=("y",), version=1):
    specs = [{name: TensorSpec("float32") for name in names} for names in (inputs, outputs)]
    return Signatures({DEFAULT_SIGNATURE: SignatureSpec(DEFAULT_SIGNATURE, "", *specs)}, version)


@pytest.fixture
def talk():
    return Conversation(Words(), "server", Options(), Clock(), lambda: 0.0)


def asked(done):
    return [step.call[0] for step in done]


def predict(talk, answers, inputs=None, signature=None, target=M):
    return drive(talk.predict(target, inputs or {"x": 1.0}, signature, None), answers)


def test_the_signature_is_asked_for_once(talk):
    outputs, done = predict(talk, [signatures("x"), {"y": 2.0}])
    assert (outputs, outputs.version, asked(done)) == ({"y": 2.0}, 5, ["metadata", "predict"])
    assert asked(predict(talk, [{"y": 2.0}])[1]) == ["predict"]
    assert asked(predict(talk, [signatures("x"), {"y": 2.0}], target=Target("m", label="stable"))[1]) == ["metadata", "predict"]


def test_an_error_makes_the_signature_be_asked_for_again(talk):
    predict(talk, [signatures("x"), {"y": 2.0}])
    error = error_for(Code.INVALID_ARGUMENT, "no")
    assert predict(talk, [error])[0] is error
    assert asked(predict(talk, [signatures("x"), {"y": 2.0}])[1]) == ["metadata", "predict"]


@pytest.mark.parametrize("inputs", [{}, {"z": 1.0}, {"x": 1.0, "z": 1.0}])
def test_inputs_that_a_fresh_signature_does_not_have_are_never_sent(talk, inputs):
    error, done = drive(talk.predict(M, inputs, None, None), [signatures("x")])
    assert isinstance(error, BadRequest)
    assert str(error).startswith("signature serving_default takes x, got ")
    assert asked(done) == ["metadata"]


@pytest.mark.parametrize(
    ("inputs", "signature", "now"),
    [({"x": 1.0, "z": 1.0}, None, signatures("x", "z")), ({"x": 1.0}, "new", Signatures({"new": signatures("x")[DEFAULT_SIGNATURE]}))],
)
def test_what_only_the_version_swapped_in_takes_is_sent(talk, inputs, signature, now):
    predict(talk, [signatures("x"), {"y": 2.0}])
    outputs, done = predict(talk, [now, {"y": 3.0}], inputs, signature)
    assert (outputs, asked(done)) == ({"y": 3.0}, ["metadata", "predict"])


def test_a_mistake_is_still_one_after_a_second_look(talk):
    predict(talk, [signatures("x"), {"y": 2.0}])
    error, done = predict(talk, [signatures("x")], {"x": "text"})
    assert (str(error), asked(done)) == ("no text", ["metadata"])


def test_an_answer_of_the_version_swapped_in_is_read_by_its_own_signature(talk):
    predict(talk, [signatures("x"), {"y": 2.0}])
    outputs, done = predict(talk, [{"z": 1.0}, signatures("x", outputs=("z",))])
    assert (outputs, asked(done)) == ({"z": 1.0}, ["predict", "metadata"])


@pytest.mark.parametrize(
    ("call", "answers"),
    [
        (lambda talk: talk.predict(M, {"x": 1.0}, None, None), [signatures("x"), "junk", signatures("x")]),
        (lambda talk: talk.status(M, None), ["junk"]),
        (lambda talk: talk.metadata(M, None), ["junk"]),
    ],
)
def test_an_answer_that_is_none_is_the_servers_fault(talk, call, answers):
    error, _ = drive(call(talk), answers)
    assert type(error) is PredictError
    assert (error.code, str(error).startswith("server: ")) == ("INTERNAL", True)


def test_the_time_is_for_the_whole_call(talk):
    steps = talk.predict(M, {"x": 1.0}, None, 10.0)
    assert next(steps).seconds == 10.0
    talk._clock.now += 4.0
    assert steps.send(signatures("x")).seconds == 6.0


def test_the_status_of_a_label_is_that_of_its_version(talk):
    rows = [VersionStatus(7, State.AVAILABLE)]
    result, done = drive(talk.status(Target("m", label="stable"), None), [signatures("x", version=7), rows])
    assert result == rows
    assert [step.call for step in done] == [("metadata", Target("m", label="stable")), ("status", Target("m", 7))]


@pytest.mark.parametrize(
    ("target", "answer", "version"),
    [
        (M, [VersionStatus(7, State.AVAILABLE), VersionStatus(8, State.LOADING)], 7),
        (M, [], None),
        (M, ModelNotFound("", code="NOT_FOUND"), None),
        (Target("m", label="stable"), signatures("x", version=3), 3),
        (Target("m", label="stable"), bad_request("no such label"), None),
    ],
)
def test_the_live_version(talk, target, answer, version):
    assert drive(talk.live_version(target, None), [answer])[0] == version


def test_a_bad_request_for_the_live_version_without_a_label_is_told(talk):
    error = bad_request("odd name")
    assert drive(talk.live_version(M, None), [error])[0] is error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("m", 1, "stable"), "version 1 and label 'stable' are both given"),
        (("m", -1, None), "version -1 is not between"),
        (("m", 2**63, None), "is not between"),
        (("m", 1.5, None), "version 1.5"),
        (("m", None, ""), "the label is empty"),
        (("\ud800", None, None), "model '\\\\ud800'"),
    ],
)
def test_a_choice_that_is_none_is_told(arguments, message):
    with pytest.raises(BadRequest, match=message):
        target_of(*arguments)


def test_numpys_numbers_are_versions():
    assert target_of("m", np.int64(3), None) == Target("m", 3)
