"""Which signatures classify or regress, and what their tensors must look like."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server import handlers
from tests.fakes.servable import FLOAT, INT64, STRING, FakeServable, signature_def

CLASSES = np.array([[b"a", b"b"]], object)


def classifier(**outputs: object) -> FakeServable:
    kinds = {"classes": STRING, "scores": FLOAT}
    definition = signature_def({"inputs": STRING}, {name: kinds.get(name, FLOAT) for name in outputs})
    return FakeServable({"serving_default": definition}, lambda _: {f"{name}:0": np.asarray(value) for name, value in outputs.items()})


def regressor(value: object, kind: int = FLOAT) -> FakeServable:
    return FakeServable(
        {"serving_default": signature_def({"inputs": STRING}, {"outputs": kind})}, lambda _: {"outputs:0": np.asarray(value)}
    )


def model(inputs: list[str], outputs: list[str]) -> FakeServable:
    return FakeServable({"serving_default": signature_def(dict.fromkeys(inputs, STRING), dict.fromkeys(outputs, FLOAT))})


@pytest.mark.parametrize(
    ("servable", "expected"),
    [
        (classifier(classes=CLASSES, scores=np.float32([[0.25, 0.75]])), [[("a", 0.25), ("b", 0.75)]]),
        (classifier(scores=np.float32([[0.25]])), [[("", 0.25)]]),
        (classifier(classes=CLASSES), [[("a", 0.0), ("b", 0.0)]]),
        (classifier(classes=CLASSES, other=np.float32([1])), [[("a", 0.0), ("b", 0.0)]]),
        (classifier(classes=np.array([[b"\xff"]], object)), [[("\udcff", 0.0)]]),
        (classifier(scores=np.zeros((1, 0), np.float32)), [[]]),
    ],
)
def test_classes_are_paired_with_scores(servable, expected):
    assert handlers.classify(servable, "", [b"example"]) == expected


@pytest.mark.parametrize(
    ("servable", "message"),
    [
        (model(["a", "b"], ["y"]), "Expected one input Tensor."),
        (model(["inputs"], ["scores", "classes", "more"]), "Expected one or two output Tensors, found 3"),
        (model(["x"], ["y"]), 'No classification inputs found in SignatureDef: inputs {\n  key: "x"\n'),
        (
            model(["inputs"], ["y"]),
            'Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: inputs {\n',
        ),
        (classifier(scores=np.float32([1])), "Expected Tensor shape: [batch_size num_classes] but got [1]"),
        (classifier(classes=np.float32([[1]])), "Expected classes Tensor of DT_STRING. Got: DT_FLOAT"),
        (classifier(scores=CLASSES), "Expected scores Tensor of DT_FLOAT. Got: DT_STRING"),
        (classifier(classes=np.repeat(CLASSES, 3, axis=0)), "Expected classes output batch size of 1. Got: 3"),
        (classifier(scores=np.float32([[1], [2]])), "Expected scores output batch size of 1. Got: 2"),
        (classifier(classes=CLASSES, scores=np.float32([[1]])), "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
    ],
)
def test_a_model_that_does_not_classify_is_named(servable, message):
    with pytest.raises(StatusError) as caught:
        handlers.classify(servable, "", [b"example"])
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("value", [np.float32([1.5, 2]), np.float32([[1.5], [2]])])
def test_one_value_for_each_example(value):
    assert handlers.regress(regressor(value), "", [b"", b""]) == [1.5, 2]


@pytest.mark.parametrize(
    ("servable", "message"),
    [
        (model(["a", "b"], ["outputs"]), "Expected one input Tensor."),
        (model(["inputs"], ["outputs", "more"]), "Expected one output Tensor."),
        (model(["x"], ["outputs"]), 'No regression inputs found in SignatureDef: inputs {\n  key: "x"\n'),
        (model(["inputs"], ["y"]), "No regression outputs found in SignatureDef: inputs {\n"),
        (regressor(np.float32([[1, 2]])), "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [1,2]"),
        (regressor(np.float32(1)), "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got []"),
        (regressor(np.int64([1, 2]), INT64), "Input batch size did not match output batch size: 1 vs. 2"),
        (regressor(np.int64([1]), INT64), "Expected output Tensor of DT_FLOAT.  Got: DT_INT64"),
    ],
)
def test_a_model_that_does_not_regress_is_named(servable, message):
    with pytest.raises(StatusError) as caught:
        handlers.regress(servable, "", [b"example"])
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(message)
