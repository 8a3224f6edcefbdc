"""Signatures from messages, to JSON and back."""

from __future__ import annotations

import json

import pytest

from serving.protocol import wire_pb2 as wire
from serving.protocol.metadata import from_messages, metadata_json, read_metadata_json
from serving.protocol.signature import SignatureSpec, TensorSpec


def info(name: str, dtype: int, *sizes: int) -> wire.TensorInfo:
    return wire.TensorInfo(
        name=name, dtype=dtype, tensor_shape=wire.TensorShapeProto(dim=[wire.TensorShapeProto.Dim(size=size) for size in sizes])
    )


DEFS = {
    "serving_default": wire.SignatureDef(
        inputs={"x": info("x:0", 1, -1, 3)},
        outputs={"y": wire.TensorInfo(name="y:0", dtype=7, tensor_shape=wire.TensorShapeProto(unknown_rank=True))},
        method_name="tensorflow/serving/predict",
    ),
    "__saved_model_init_op": wire.SignatureDef(outputs={"__saved_model_init_op": wire.TensorInfo(name="NoOp")}),
}
SPEC = SignatureSpec(
    "serving_default",
    "tensorflow/serving/predict",
    {"x": TensorSpec("float32", (None, 3), "x:0")},
    {"y": TensorSpec("string", None, "y:0")},
)


def test_signatures_are_read_from_messages_without_the_init_op():
    assert from_messages(DEFS) == {"serving_default": SPEC}


def test_signatures_survive_json():
    assert read_metadata_json(json.loads(metadata_json("m", 3, DEFS))) == (3, {"serving_default": SPEC})


def test_metadata_has_upstreams_form():
    document = json.loads(metadata_json("m", 3, DEFS))
    assert document["model_spec"] == {"name": "m", "signature_name": "", "version": "3"}
    assert document["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["x"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "3", "name": ""}], "unknown_rank": False},
        "name": "x:0",
    }


def test_other_documents_are_refused():
    with pytest.raises(ValueError, match="not model metadata"):
        read_metadata_json({"error": "no"})
