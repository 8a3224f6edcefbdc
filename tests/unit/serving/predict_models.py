"""Models that the tests of ``predict`` ask."""

from __future__ import annotations

from serving.protocol.signature import CLASSIFY_METHOD, PREDICT_METHOD, SignatureSpec, TensorSpec
from tests.fakes.client import FakeModel

TAXI = SignatureSpec(
    "predict", PREDICT_METHOD, {"fare": TensorSpec("float32"), "company": TensorSpec("string")}, {"twice": TensorSpec("float32")}
)
PHOTOS = {
    "predict": SignatureSpec("predict", PREDICT_METHOD, {"image": TensorSpec("string", (None,))}, {"size": TensorSpec("int64")}),
    "classify": SignatureSpec("classify", CLASSIFY_METHOD, {"inputs": TensorSpec("string", (None,))}, {}),
}
KINDS = [("healthy", 0.04), ("cmd", 0.9), ("[red]cbb", 0.03), ("cbsd", 0.02), ("c\x1bgm", 0.008), ("other", 0.002)]
TWO = {
    "predict": SignatureSpec("predict", PREDICT_METHOD, TAXI.inputs, {"label": TensorSpec("string"), "probability": TensorSpec("float32")}),
    "classify": PHOTOS["classify"],
}


def taxi(factor: float) -> FakeModel:
    return FakeModel({"predict": TAXI}, lambda _, inputs: {"twice": inputs["fare"] * factor})


def leaves(classify=lambda _, examples: [KINDS for example in examples if example["image"]]) -> FakeModel:
    return FakeModel(PHOTOS, lambda _, inputs: {"size": [len(photo) for photo in inputs["image"]]}, classify)
