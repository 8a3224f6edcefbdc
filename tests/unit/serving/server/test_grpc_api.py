"""The gRPC coat, asked over a real channel; the model is a fake."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.server.grpc_api import GrpcApi
from serving.server.listeners import GrpcListener, GrpcSettings
from serving.server.models import Models
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable

PREDICTION, MODEL = "/tensorflow.serving.PredictionService", "/tensorflow.serving.ModelService"
M = wire.ModelSpec(name="m")
X = tensors.to_proto(np.float32([1]))
LABELLED = wire.ModelSpec(name="m", version_label="stable")
TWO = wire.ModelSpec(name="m", version=wire.Int64Value(value=2))


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    models = Models()
    models.load("m", 1, FakeServable)
    listener = GrpcListener(GrpcApi(core_of(models)), GrpcSettings())
    with grpc.insecure_channel(f"127.0.0.1:{listener.port}") as opened:
        yield opened
    listener.stop(1)


def call(channel: grpc.Channel, path: str, request: object, answer: type = wire.PredictResponse) -> object:
    method = channel.unary_unary(path, request_serializer=lambda m: m.SerializeToString(), response_deserializer=answer.FromString)
    return method(request, timeout=10)


def test_an_answer_names_model_signature_and_version(channel):
    answer = call(channel, f"{PREDICTION}/Predict", wire.PredictRequest(model_spec=M, inputs={"x": X}))
    assert (answer.model_spec.name, answer.model_spec.signature_name, answer.model_spec.version.value) == ("m", "serving_default", 1)
    assert list(answer.outputs["y"].float_val) == [2]


@pytest.mark.parametrize(
    ("path", "request_", "code", "message"),
    [
        ("Predict", wire.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        ("Predict", wire.PredictRequest(model_spec=wire.ModelSpec()), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ("Predict", wire.PredictRequest(model_spec=wire.ModelSpec(name="x")), "NOT_FOUND", "Servable not found for request: Latest(x)"),
        ("Predict", wire.PredictRequest(model_spec=TWO), "NOT_FOUND", "Servable not found for request: Specific(m, 2)"),
        ("Predict", wire.PredictRequest(model_spec=LABELLED), "INVALID_ARGUMENT", "Unrecognized servable version label: stable"),
        (
            "Predict",
            wire.PredictRequest(model_spec=wire.ModelSpec(name="m", signature_name="s")),
            "FAILED_PRECONDITION",
            'Serving signature key "s" not found.',
        ),
        (
            "Predict",
            wire.PredictRequest(model_spec=M, inputs={"x": wire.TensorProto(dtype=1, tensor_content=b"a")}),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
        ),
        ("Classify", wire.ClassificationRequest(model_spec=M), "INVALID_ARGUMENT", "No classification inputs found in SignatureDef: "),
        (
            "GetModelMetadata",
            wire.GetModelMetadataRequest(model_spec=M),
            "INVALID_ARGUMENT",
            "GetModelMetadataRequest must specify at least one",
        ),
        (
            "GetModelMetadata",
            wire.GetModelMetadataRequest(model_spec=M, metadata_field=["x"]),
            "INVALID_ARGUMENT",
            "Metadata field x is not supported",
        ),
    ],
)
def test_wrong_requests_get_upstreams_code_and_message(channel, path, request_, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, f"{PREDICTION}/{path}", request_)
    assert caught.value.code().name == code
    assert caught.value.details().startswith(message)


def test_a_long_message_is_cut(channel):
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, f"{PREDICTION}/Predict", wire.PredictRequest(model_spec=wire.ModelSpec(name="x" * 3000)))
    assert caught.value.details().endswith("...TRUNCATED")
    assert len(caught.value.details()) == 1024 + len("...TRUNCATED")


def test_metadata_is_a_signature_map_in_an_any(channel):
    request = wire.GetModelMetadataRequest(model_spec=M, metadata_field=["signature_def"])
    answer = call(channel, f"{PREDICTION}/GetModelMetadata", request, wire.GetModelMetadataResponse)
    packed = answer.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    assert set(wire.SignatureDefMap.FromString(packed.value).signature_def) == {"serving_default"}


def test_the_status_is_told(channel):
    answer = call(channel, f"{MODEL}/GetModelStatus", wire.GetModelStatusRequest(model_spec=M), wire.GetModelStatusResponse)
    assert [(row.version, row.state) for row in answer.model_version_status] == [(1, 30)]
