"""Request messages in, answer messages out."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.server import messages
from serving.server.messages import CallOptions
from tests.fakes.servable import FLOAT, STRING, FakeServable, signature_def

X = tensors.to_proto(np.float32([1, 2]))
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def examples(*items: bytes, context: bytes | None = None) -> wire.Input:
    if context is None:
        return wire.Input(example_list=wire.ExampleList(examples=items))
    return wire.Input(example_list_with_context=wire.ExampleListWithContext(examples=items, context=context))


def both() -> FakeServable:
    definitions = {
        "serving_default": signature_def({"inputs": STRING}, {"classes": STRING}),
        "value": signature_def({"inputs": STRING}, {"outputs": FLOAT}),
    }
    values = {"classes:0": np.array([[b"a", b"\xff"]], object), "outputs:0": np.float32([3])}
    return FakeServable(definitions, lambda _: values)


def test_a_prediction_names_its_signature_and_types_its_fields():
    answer = messages.predict(FakeServable(), wire.PredictRequest(inputs={"x": X}))
    assert answer.model_spec.signature_name == "serving_default"
    assert list(answer.outputs["y"].float_val) == [2, 4]


def test_a_filter_limits_the_outputs():
    servable = FakeServable({"s": signature_def({"x": FLOAT}, {"y": FLOAT, "z": FLOAT})}, lambda feeds: {"y:0": feeds["x:0"]})
    request = wire.PredictRequest(model_spec=wire.ModelSpec(signature_name="s"), inputs={"x": X}, output_filter=["y"])
    assert list(messages.predict(servable, request).outputs) == ["y"]


@pytest.mark.parametrize(
    ("output", "content"),
    [(np.float32([2, 4]), b"\0\0\0\x40\0\0\x80\x40"), (np.array([b"ab", b"", b"c"], object), b"\2\0\1abc")],
)
def test_predictions_leave_as_content_when_asked_for(output, content):
    servable = FakeServable(graph=lambda _: {"y:0": output})
    answer = messages.predict(servable, wire.PredictRequest(inputs={"x": X}), CallOptions(as_tensor_content=True)).outputs["y"]
    assert answer.tensor_content == content
    assert not answer.float_val
    assert not answer.string_val
    assert tensors.to_array(answer).tolist() == output.tolist()


def test_classes_leave_with_labels_that_a_string_field_can_hold():
    answer = messages.classify(both(), wire.ClassificationRequest(input=examples(b"")))
    assert answer.model_spec.signature_name == "serving_default"
    (row,) = answer.result.classifications
    assert [(item.label, item.score) for item in row.classes] == [("a", 0.0), ("\ufffd", 0.0)]


def test_values_leave_in_order():
    request = wire.RegressionRequest(model_spec=wire.ModelSpec(signature_name="value"), input=examples(b""))
    answer = messages.regress(both(), request)
    assert answer.model_spec.signature_name == "value"
    assert [item.value for item in answer.result.regressions] == [3.0]


def task(signature: str, method: str) -> wire.InferenceTask:
    return wire.InferenceTask(model_spec=wire.ModelSpec(name="m", signature_name=signature), method_name=method)


def test_each_task_has_its_result():
    request = wire.MultiInferenceRequest(tasks=[task("value", REGRESS), task("", CLASSIFY)], input=examples(b""))
    answer = messages.multi_inference(both(), request)
    assert [(item.model_spec.name, item.model_spec.signature_name) for item in answer.results] == [("m", "value"), ("m", "serving_default")]
    assert [item.WhichOneof("result") for item in answer.results] == ["regression_result", "classification_result"]
    assert answer.results[0].regression_result.regressions[0].value == 3.0
    assert answer.results[1].classification_result.classifications[0].classes[0].label == "a"


def test_the_first_task_says_which_version():
    assert messages.spec_of_tasks(wire.MultiInferenceRequest(tasks=[task("a", ""), task("b", "")])).signature_name == "a"
    assert messages.spec_of_tasks(wire.MultiInferenceRequest()).name == ""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (wire.Input(), []),
        (examples(), []),
        (examples(b"a", b"b"), [b"a", b"b"]),
        (examples(b"a", b"b", context=b"c"), [b"ca", b"cb"]),
    ],
)
def test_a_context_comes_before_each_example(message, expected):
    assert messages.examples_of(message) == expected
