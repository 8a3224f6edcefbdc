"""TF Serving's own Python client cannot tell our server from the real one."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from serving.server.grpc_api import GrpcApi
from serving.server.listeners import GrpcListener, GrpcSettings
from serving.server.models import Models
from tests.fakes.core import core_of
from tests.fakes.servable import FakeServable


@pytest.fixture(scope="module")
def stock() -> Any:
    """The official stubs and messages. The import warns about its own dependencies, which is not ours to mend."""
    pytest.importorskip("tensorflow_serving")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_service_pb2_grpc, predict_pb2
        from tensorflow_serving.apis import prediction_service_pb2_grpc as prediction
    return SimpleNamespace(
        metadata=get_model_metadata_pb2,
        status=get_model_status_pb2,
        models=model_service_pb2_grpc,
        predict=predict_pb2,
        prediction=prediction,
    )


@pytest.fixture
def channel() -> Any:
    models = Models()
    models.load("m", 3, FakeServable)
    listener = GrpcListener(GrpcApi(core_of(models)), GrpcSettings())
    with grpc.insecure_channel(f"127.0.0.1:{listener.port}") as opened:
        yield opened
    listener.stop(1)


def test_it_predicts(stock, channel):
    request = stock.predict.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add().size = 2
    request.inputs["x"].float_val.extend([1.5, 2.5])
    answer = stock.prediction.PredictionServiceStub(channel).Predict(request, timeout=10)
    assert list(answer.outputs["y"].float_val) == [3.0, 5.0]
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("m", 3)


def test_it_reads_the_metadata(stock, channel):
    request = stock.metadata.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "m"
    answer = stock.prediction.PredictionServiceStub(channel).GetModelMetadata(request, timeout=10)
    signatures = stock.metadata.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert list(signatures.signature_def) == ["serving_default"]


def test_it_reads_the_status(stock, channel):
    request = stock.status.GetModelStatusRequest()
    request.model_spec.name = "m"
    (row,) = stock.models.ModelServiceStub(channel).GetModelStatus(request, timeout=10).model_version_status
    assert (row.version, row.state) == (3, stock.status.ModelVersionStatus.AVAILABLE)
