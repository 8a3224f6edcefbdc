"""What a request may ask of a model, and the words in which it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server import handlers
from serving.server.handlers import Task
from serving.server.servable import Array
from tests.fakes.servable import FLOAT, STRING, FakeServable, double, signature_def

X = np.float32([1, 2])
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


class Recorder(FakeServable):
    """Remembers what each run was given."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        self.runs = [*getattr(self, "runs", []), (list(feeds), list(fetches), timeout_seconds)]
        return super().run(feeds, fetches, timeout_seconds)


def refusal(call, *arguments, **options) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        call(*arguments, **options)
    return caught.value.code, caught.value.message


def test_outputs_come_by_name():
    assert handlers.predict(FakeServable(), "", {"x": X})["y"].tolist() == [2, 4]


def test_an_input_may_be_a_message():
    assert handlers.predict(FakeServable(), "", {"x": tensors.to_proto(X)})["y"].tolist() == [2, 4]


SIZE = "input size does not match signature: "
BROKEN = wire.TensorProto(dtype=1, tensor_content=b"a")


@pytest.mark.parametrize(
    ("name", "inputs", "output_filter", "code", "message"),
    [
        ("nope", {"x": X}, [], Code.FAILED_PRECONDITION, 'Serving signature key "nope" not found.'),
        ("", {}, [], Code.INVALID_ARGUMENT, SIZE + "0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}."),
        (
            "",
            {"x": X, "z": X},
            [],
            Code.INVALID_ARGUMENT,
            SIZE + "2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.",
        ),
        (
            "",
            {"z": X},
            [],
            Code.INVALID_ARGUMENT,
            "Signature input alias: x(feed name: x:0) not found in request and no default value provided. "
            "Inputs expected to be in the request {z}, or default input alias set: ",
        ),
        ("", {"x": BROKEN}, [], Code.INVALID_ARGUMENT, "tensor parsing error: x"),
        ("", {"x": BROKEN}, ["q"], Code.INVALID_ARGUMENT, "tensor parsing error: x"),
        (
            "",
            {"x": X},
            ["q"],
            Code.INVALID_ARGUMENT,
            "output tensor alias not found in signature: q Outputs expected to be in the set {y}.",
        ),
        ("", {"x": X}, ["y", "y"], Code.INVALID_ARGUMENT, "duplicate output tensor alias: y"),
    ],
)
def test_wrong_requests_get_upstreams_message(name, inputs, output_filter, code, message):
    assert refusal(handlers.predict, FakeServable(), name, inputs, output_filter) == (code, message)


def with_default() -> FakeServable:
    """x, and n that is 5 unless told; y is n."""
    default = tensors.to_proto(np.float32([5]))
    return FakeServable(
        {"serving_default": signature_def({"x": FLOAT, "n": FLOAT}, {"y": FLOAT}, n=default)}, lambda feeds: {"y:0": feeds["n:0"]}
    )


def test_a_missing_input_takes_its_default():
    assert handlers.predict(with_default(), "", {"x": X})["y"].tolist() == [5]
    assert handlers.predict(with_default(), "", {"x": X, "n": X})["y"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": X, "zzz": X}, "Inputs contains invalid name. Used request inputs: x, request input: x,zzz"),
        (
            {"n": X},
            "Signature input alias: x(feed name: x:0) not found in request and no default value provided. "
            "Inputs expected to be in the request {n}, or default input alias set: n",
        ),
        (
            {"x": X, "n": X, "z": X},
            SIZE + "3!=2 len({n,x,z}) != len({n,x}). Sent extra: {z}. Missing but required: {}.",
        ),
    ],
)
def test_defaults_forgive_missing_inputs_only(inputs, message):
    assert refusal(handlers.predict, with_default(), "", inputs) == (Code.INVALID_ARGUMENT, message)


def test_feeds_and_fetches_have_one_order_whatever_the_request():
    definition = signature_def({"a": FLOAT, "b": FLOAT}, {"y": FLOAT, "z": FLOAT})
    definition.inputs["a"].name, definition.inputs["b"].name = "late:0", "early:0"
    servable = Recorder({"serving_default": definition}, lambda _: {"y:0": X, "z:0": X})
    handlers.predict(servable, "", {"b": X, "a": X}, ["z", "y"])
    handlers.predict(servable, "", {"a": X, "b": X}, ["y", "z"])
    assert servable.runs == [(["early:0", "late:0"], ["y:0", "z:0"], None)] * 2


def test_the_filter_limits_what_is_computed():
    servable = Recorder({"serving_default": signature_def({"x": FLOAT}, {"y": FLOAT, "z": FLOAT})}, double)
    assert list(handlers.predict(servable, "", {"x": X}, ["y"])) == ["y"]
    assert servable.runs == [(["x:0"], ["y:0"], None)]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (handlers.predict, ("", {"inputs": X})),
        (handlers.classify, ("", [b""])),
        (handlers.regress, ("regress", [b""])),
        (handlers.multi_inference, ([Task("m", "", CLASSIFY)], [b""])),
    ],
)
def test_the_timeout_reaches_the_model(call, arguments):
    outputs = {"outputs:0": np.float32([1]), "scores:0": np.float32([[1]])}
    definitions = {"serving_default": signature_def({"inputs": STRING}, {"scores": FLOAT})}
    definitions["regress"] = signature_def({"inputs": STRING}, {"outputs": FLOAT})
    servable = Recorder(definitions, lambda _: outputs)
    call(servable, *arguments, timeout_seconds=2.5)
    assert [run[2] for run in servable.runs] == [2.5]


CHECKED = "Expected {} signature method_name to be {}. Was: other"


@pytest.mark.parametrize(
    ("call", "arguments", "code", "message"),
    [
        (
            handlers.predict,
            ("", {"x": X}),
            Code.INTERNAL,
            CHECKED.format("prediction", f"one of {{tensorflow/serving/predict, {CLASSIFY}, {REGRESS}}}"),
        ),
        (handlers.classify, ("", [b""]), Code.INVALID_ARGUMENT, CHECKED.format("classification", CLASSIFY)),
        (handlers.regress, ("", [b""]), Code.INVALID_ARGUMENT, CHECKED.format("regression", REGRESS)),
        (
            handlers.multi_inference,
            ([Task("m", "", CLASSIFY)], [b""]),
            Code.INVALID_ARGUMENT,
            CHECKED.format("classification", CLASSIFY),
        ),
    ],
)
def test_method_names_are_checked_when_asked_for(call, arguments, code, message):
    definition = signature_def({"x": FLOAT}, {"y": FLOAT})
    definition.method_name = "other"
    servable = FakeServable({"serving_default": definition})
    assert refusal(call, servable, *arguments, check_method_name=True) == (code, message)
    assert handlers.predict(servable, "", {"x": X})["y"].tolist() == [2, 4]


def test_a_checked_predict_takes_a_signature_of_any_known_method():
    for method in ("tensorflow/serving/predict", CLASSIFY, REGRESS):
        definition = signature_def({"x": FLOAT}, {"y": FLOAT})
        definition.method_name = method
        handlers.predict(FakeServable({"serving_default": definition}), "", {"x": X}, check_method_name=True)


@pytest.mark.parametrize(
    ("call", "name"), [(handlers.classify, ""), (handlers.classify, "nope"), (handlers.regress, ""), (handlers.regress, "nope")]
)
def test_an_unknown_signature_is_told_before_missing_examples(call, name):
    servable = FakeServable({"other": signature_def({"inputs": STRING}, {"outputs": FLOAT})})
    expected = (Code.INVALID_ARGUMENT, f"No signature was found with the name: {name or 'serving_default'}")
    assert refusal(call, servable, name, []) == expected


def both() -> Recorder:
    """Two signatures that share a score; classes are only in one, ``other`` has an input of its own."""
    definitions = {
        "classes": signature_def({"inputs": STRING}, {"classes": STRING, "scores": FLOAT}),
        "value": signature_def({"inputs": STRING}, {"outputs": FLOAT}),
        "other": signature_def({"inputs": STRING}, {"outputs": FLOAT}),
    }
    definitions["other"].inputs["inputs"].name = "another:0"
    classes = np.array([[b"a", b"\xff"]], object)
    values = {"classes:0": classes, "scores:0": np.float32([[0.25, 0.75]]), "outputs:0": np.float32([[3]])}
    return Recorder(definitions, lambda _: values)


def test_all_tasks_are_one_run():
    servable = both()
    tasks = [Task("m", "value", REGRESS), Task("m", "classes", CLASSIFY), Task("m", "other", REGRESS)]
    found = handlers.multi_inference(servable, tasks, [b""])
    assert found == [[3.0], [[("a", 0.25), ("\udcff", 0.75)]], [3.0]]
    assert servable.runs == [(["another:0", "inputs:0"], ["classes:0", "outputs:0", "scores:0"], None)]


@pytest.mark.parametrize(
    ("tasks", "code", "message"),
    [
        ([], Code.INVALID_ARGUMENT, "ModelSpec has no name specified."),
        ([Task("m", "value", REGRESS), Task("", "nope", "")], Code.INVALID_ARGUMENT, "Found ModelSpec with an empty model name."),
        (
            [Task("m", "value", REGRESS), Task("n", "nope", "")],
            Code.INVALID_ARGUMENT,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        ([Task("m", "value", REGRESS)] * 2, Code.INVALID_ARGUMENT, "Duplicate evaluation of signature: value"),
        ([Task("m", "", "")], Code.INVALID_ARGUMENT, "Requested signature not found in model graph: serving_default"),
        (
            [Task("m", "value", "tensorflow/serving/predict")],
            Code.UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        ([Task("m", "classes", REGRESS)], Code.INVALID_ARGUMENT, "Expected one output Tensor."),
    ],
)
def test_wrong_tasks_get_upstreams_message(tasks, code, message):
    assert refusal(handlers.multi_inference, both(), tasks, []) == (code, message)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (handlers.classify, ("classes", [])),
        (handlers.regress, ("value", [])),
        (handlers.multi_inference, ([Task("m", "value", REGRESS)], [])),
    ],
)
def test_no_examples_are_an_error(call, arguments):
    assert refusal(call, both(), *arguments) == (Code.INVALID_ARGUMENT, "Input is empty.")
