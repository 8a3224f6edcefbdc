"""The clients of TF Serving's users: stock stubs, and HTTP that shows every byte."""

from __future__ import annotations

import http.client
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import grpc
import pytest


@dataclass(frozen=True)
class HttpAnswer:
    """An answer as it came over the wire; ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "surrogateescape")

    @property
    def error(self) -> str:
        """The message of an error, which must be all that the body holds."""
        document = json.loads(self.body)
        assert list(document) == ["error"]
        return str(document["error"])


class Rest:
    """Plain HTTP, each request on a connection of its own: nothing is added, escaped or decoded."""

    def __init__(self, address: str) -> None:
        self.host, _, port = address.removeprefix("http://").rpartition(":")
        self.port = int(port)

    def ask(self, method: str, path: str, body: bytes | str | Iterator[bytes] | None = None, **headers: str) -> HttpAnswer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
            connection.request(method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> HttpAnswer:
        return self.ask("GET", path)

    def post(self, path: str, body: bytes | str) -> HttpAnswer:
        return self.ask("POST", path, body)

    def predict(self, model: str, body: bytes | str) -> HttpAnswer:
        return self.post(f"/v1/models/{model}:predict", body)


def stock_modules() -> Any:
    """The official stubs and messages. The import warns about its own dependencies, which is not ours to mend."""
    pytest.importorskip("tensorflow_serving")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from tensorflow_serving.apis import (
            classification_pb2,
            get_model_metadata_pb2,
            get_model_status_pb2,
            inference_pb2,
            model_management_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_service_pb2_grpc,
            regression_pb2,
        )
    return SimpleNamespace(
        tf=tf,
        ClassificationRequest=classification_pb2.ClassificationRequest,
        RegressionRequest=regression_pb2.RegressionRequest,
        PredictRequest=predict_pb2.PredictRequest,
        MultiInferenceRequest=inference_pb2.MultiInferenceRequest,
        GetModelMetadataRequest=get_model_metadata_pb2.GetModelMetadataRequest,
        SignatureDefMap=get_model_metadata_pb2.SignatureDefMap,
        GetModelStatusRequest=get_model_status_pb2.GetModelStatusRequest,
        ReloadConfigRequest=model_management_pb2.ReloadConfigRequest,
        PredictionStub=prediction_service_pb2_grpc.PredictionServiceStub,
        ModelStub=model_service_pb2_grpc.ModelServiceStub,
    )


@dataclass(frozen=True)
class Grpc:
    """The stock client on one channel."""

    stock: Any
    channel: grpc.Channel

    def call(self, method: str, request: Any, timeout: float = 60) -> Any:
        stub = self.stock.ModelStub if method in ("GetModelStatus", "HandleReloadConfigRequest") else self.stock.PredictionStub
        return getattr(stub(self.channel), method)(request, timeout=timeout)

    def refused(self, method: str, request: Any, timeout: float = 60) -> tuple[str, str]:
        """The code and the text of the error that this request must give."""
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, request, timeout)
        return caught.value.code().name, caught.value.details()

    def predict_request(self, model: str = "half", signature: str = "", output_filter: tuple[str, ...] = (), **inputs: Any) -> Any:
        request = self.stock.PredictRequest(output_filter=output_filter)
        request.model_spec.name, request.model_spec.signature_name = model, signature
        for alias, value in inputs.items():
            request.inputs[alias].CopyFrom(self.stock.tf.make_tensor_proto(value))
        return request
