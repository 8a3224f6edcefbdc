"""What a request may ask of a model, and the words in which it is refused."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol.status import Code, StatusError
from serving.server import handlers
from tests.fakes.servable import FLOAT, INT64, STRING, FakeServable, signature_def

X = np.float32([1, 2])


def test_outputs_come_by_name():
    assert handlers.predict(FakeServable(), "", {"x": X})["y"].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("name", "inputs", "output_filter", "code", "message"),
    [
        ("nope", {"x": X}, [], Code.FAILED_PRECONDITION, 'Serving signature key "nope" not found.'),
        (
            "",
            {},
            [],
            Code.INVALID_ARGUMENT,
            "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.",
        ),
        (
            "",
            {"x": X, "z": X},
            [],
            Code.INVALID_ARGUMENT,
            "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. Missing but required: {}.",
        ),
        (
            "",
            {"z": X},
            [],
            Code.INVALID_ARGUMENT,
            "Signature input alias: x(feed name: x:0) not found in request and no default value provided. "
            "Inputs expected to be in the request {x}, or default input alias set: {}",
        ),
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
    with pytest.raises(StatusError) as caught:
        handlers.predict(FakeServable(), name, inputs, output_filter)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_missing_input_takes_its_default():
    default = tensors.to_proto(np.float32([5]))
    servable = FakeServable(
        {"serving_default": signature_def({"x": FLOAT, "n": FLOAT}, {"y": FLOAT}, n=default)}, lambda feeds: {"y:0": feeds["n:0"]}
    )
    assert handlers.predict(servable, "", {"x": X})["y"].tolist() == [5]
    with pytest.raises(StatusError, match="Inputs contains invalid name"):
        handlers.predict(servable, "", {"x": X, "zzz": X})


def classifier(**outputs: object) -> FakeServable:
    kinds = {"classes": STRING, "scores": FLOAT}
    definition = signature_def({"inputs": STRING}, {name: kinds.get(name, FLOAT) for name in outputs})
    return FakeServable({"serving_default": definition}, lambda _: {f"{name}:0": np.asarray(value) for name, value in outputs.items()})


CLASSES = np.array([[b"a", b"b"]], object)


@pytest.mark.parametrize(
    ("servable", "expected"),
    [
        (classifier(classes=CLASSES, scores=np.float32([[0.25, 0.75]])), [[("a", 0.25), ("b", 0.75)]]),
        (classifier(scores=np.float32([[0.25]])), [[("", 0.25)]]),
        (classifier(classes=CLASSES), [[("a", 0.0), ("b", 0.0)]]),
    ],
)
def test_classes_are_paired_with_scores(servable, expected):
    assert handlers.classify(servable, "", [b"example"]) == expected


@pytest.mark.parametrize(
    ("servable", "message"),
    [
        (classifier(other=np.float32([[1]])), "Expected classification signature outputs to contain at least one of"),
        (classifier(scores=np.float32([1])), "Expected Tensor shape: [batch_size num_classes] but got [1]"),
        (classifier(scores=np.float32([[1], [2]])), "Expected scores output batch size of 1. Got: 2"),
        (classifier(classes=CLASSES, scores=np.float32([[1]])), "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
        (FakeServable(), "No classification inputs found in SignatureDef: serving_default"),
        (FakeServable({"serving_default": signature_def({"a": 1, "b": 1}, {"y": 1})}), "Expected one input Tensor."),
        (FakeServable({"other": signature_def({"a": 1}, {"y": 1})}), "No signature was found with the name: serving_default"),
    ],
)
def test_a_model_that_does_not_classify_is_named(servable, message):
    with pytest.raises(StatusError) as caught:
        handlers.classify(servable, "", [b"example"])
    assert caught.value.message.startswith(message)


def regressor(value: object, kind: int = FLOAT) -> FakeServable:
    return FakeServable(
        {"serving_default": signature_def({"inputs": STRING}, {"outputs": kind})}, lambda _: {"outputs:0": np.asarray(value)}
    )


@pytest.mark.parametrize("value", [np.float32([1.5, 2]), np.float32([[1.5], [2]])])
def test_one_value_for_each_example(value):
    assert handlers.regress(regressor(value), "", [b"", b""]) == [1.5, 2]


@pytest.mark.parametrize(
    ("servable", "message"),
    [
        (regressor(np.float32([[1, 2]])), "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [1,2]"),
        (regressor(np.float32([1, 2])), "Input batch size did not match output batch size: 1 vs. 2"),
        (regressor(np.int64([1]), INT64), "Expected output Tensor of DT_FLOAT"),
        (FakeServable({"serving_default": signature_def({"inputs": STRING}, {"y": FLOAT})}), "Expected one output Tensor"),
    ],
)
def test_a_model_that_does_not_regress_is_named(servable, message):
    with pytest.raises(StatusError) as caught:
        handlers.regress(servable, "", [b"example"])
    assert caught.value.message.startswith(message)


def test_no_examples_are_an_error():
    with pytest.raises(StatusError, match="Input is empty"):
        handlers.regress(regressor(np.float32([])), "", [])
