"""What the gRPC clients send is, byte for byte, what TF Serving's own messages would be."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from serving.clients.grpc_dialect import GrpcDialect
from serving.protocol.dtypes import BY_NAME
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec, TensorSpec

TARGETS = [Target("m"), Target("m", 0), Target("m", 2**63 - 1), Target("m", label="stable")]


@pytest.fixture(scope="module")
def official() -> Any:
    """The official messages, and TensorFlow. The import warns about its own dependencies, which is not ours to mend."""
    pytest.importorskip("tensorflow_serving")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from tensorflow_serving.apis import (
            classification_pb2,
            get_model_metadata_pb2,
            get_model_status_pb2,
            predict_pb2,
            regression_pb2,
        )
    return SimpleNamespace(
        tf=tf,
        predict=predict_pb2.PredictRequest,
        classify=classification_pb2.ClassificationRequest,
        regress=regression_pb2.RegressionRequest,
        metadata=get_model_metadata_pb2.GetModelMetadataRequest,
        status=get_model_status_pb2.GetModelStatusRequest,
    )


def choose(message: Any, target: Target, signature: str = "") -> Any:
    """The model spec as a user of the official messages fills it."""
    message.model_spec.name = target.model
    message.model_spec.signature_name = signature
    if target.version is not None:
        message.model_spec.version.value = target.version
    if target.label is not None:
        message.model_spec.version_label = target.label
    return message


def same(call: Any, theirs: Any) -> None:
    assert call.message.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


def spec_of(dtype: str) -> SignatureSpec:
    return SignatureSpec("s", "", {"x": TensorSpec(dtype)}, {})


def values(dtype: str, count: int) -> Any:
    if dtype == "string":
        return np.array([b"a\x00b", b"", "é".encode()][:count], object)
    return np.array([1, 0, 1][:count]).astype(BY_NAME[dtype].numpy)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("dtype", BY_NAME)
def test_a_predict_request(official, dtype, target):
    theirs = choose(official.predict(), target, "s")
    theirs.inputs["x"].CopyFrom(official.tf.make_tensor_proto(values(dtype, 1)))
    same(GrpcDialect().predict(target, {"x": values(dtype, 1)}, spec_of(dtype), "s"), theirs)


@pytest.mark.parametrize("dtype", BY_NAME)
@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3, 1)], ids=str)
def test_tensorflow_reads_the_arrays_that_were_sent(official, dtype, shape):
    sent = values(dtype, 3).reshape(shape)
    call = GrpcDialect().predict(Target("m"), {"x": sent}, spec_of(dtype), None)
    theirs = official.predict.FromString(call.message.SerializeToString())
    same(call, theirs)
    read = official.tf.make_ndarray(theirs.inputs["x"])
    assert (read.shape, read.tolist()) == (shape, sent.tolist())
    assert read.dtype == sent.dtype


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("method", ["classify", "regress"])
def test_a_request_of_examples(official, method, target):
    rows = [{"f": [0.5, 1.5], "i": 3, "s": ["a", b"\xff"], "b": True}, {"f": np.float32(2.5), "i": np.array([4])}]
    theirs = choose(getattr(official, method)(), target, "s")
    for row in [{"f": [0.5, 1.5], "i": [3], "s": [b"a", b"\xff"], "b": [1]}, {"f": [2.5], "i": [4]}]:
        features = theirs.input.example_list.examples.add().features.feature
        for name, items in row.items():
            kind = {"f": "float_list", "s": "bytes_list"}.get(name, "int64_list")
            getattr(features[name], kind).value.extend(items)
    call = getattr(GrpcDialect(), method)(target, rows, "s")
    # The order of a map's entries is free, and ours are serialized one by one: read by the official classes, they are equal.
    assert getattr(official, method).FromString(call.message.SerializeToString()) == theirs


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_requests_for_status_and_metadata(official, target):
    same(GrpcDialect().status(target), choose(official.status(), target))
    same(GrpcDialect().metadata(target), choose(official.metadata(metadata_field=["signature_def"]), target))
