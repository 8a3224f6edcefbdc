"""The gRPC client. Needs grpcio and protobuf, not TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from serving.clients.base import (
    DEFAULT_TIMEOUT_SECONDS,
    Array,
    Features,
    error_for,
    find_signature,
    is_loopback,
    latest_available,
)
from serving.clients.signatures import SignatureCache
from serving.errors import BadRequest, ModelNotFound, PredictError
from serving.protocol import examples as example_json
from serving.protocol import metadata, tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, State, StatusError, VersionStatus

_PREDICTION = "/tensorflow.serving.PredictionService"
_MODEL = "/tensorflow.serving.ModelService"


class GrpcClient:
    """A `PredictClient` over gRPC. ``address``: ``host:port``."""

    def __init__(self, address: str) -> None:
        self.address = address.split("://", 1)[-1]
        self._channel = grpc.insecure_channel(
            self.address,
            options=[
                ("grpc.max_send_message_length", -1),
                ("grpc.max_receive_message_length", -1),
                ("grpc.enable_http_proxy", int(not is_loopback(self.address))),
            ],
        )
        self._calls = {path: self._method(path, answer) for path, answer in _ANSWERS.items()}
        self._signatures = SignatureCache(self.metadata)

    def _method(self, path: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=answer.FromString
        )

    def predict(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """See `PredictClient.predict`."""
        spec = find_signature(self._signatures.get(model, version), signature)
        request = wire.PredictRequest(model_spec=_model_spec(model, version, signature))
        if set(inputs) != set(spec.inputs):
            listed, got = ", ".join(sorted(spec.inputs)), ", ".join(sorted(inputs)) or "nothing"
            raise BadRequest(f"signature {spec.name} takes {listed}, got {got}", code=Code.INVALID_ARGUMENT.name)
        for name, value in inputs.items():
            try:
                request.inputs[name].CopyFrom(tensors.to_proto(value, spec.inputs[name].dtype))
            except ValueError as error:
                raise BadRequest(f"input {name}: {error}", code=Code.INVALID_ARGUMENT.name) from error
        try:
            answer = self._call(f"{_PREDICTION}/Predict", request, timeout)
        except PredictError:
            self._signatures.forget(model, version)
            raise
        try:
            return {name: tensors.to_array(proto) for name, proto in sorted(answer.outputs.items())}
        except ValueError as error:
            raise PredictError(f"{self.address}: {error}", code=Code.INTERNAL.name) from error

    def classify(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[list[tuple[str, float]]]:
        """See `PredictClient.classify`."""
        request = wire.ClassificationRequest(model_spec=_model_spec(model, version, signature), input=_input(examples))
        answer = self._call(f"{_PREDICTION}/Classify", request, timeout)
        return [[(item.label, item.score) for item in row.classes] for row in answer.result.classifications]

    def regress(
        self,
        model: str,
        examples: Sequence[Features],
        *,
        version: int | None = None,
        signature: str | None = None,
        timeout: float | None = None,
    ) -> list[float]:
        """See `PredictClient.regress`."""
        request = wire.RegressionRequest(model_spec=_model_spec(model, version, signature), input=_input(examples))
        answer = self._call(f"{_PREDICTION}/Regress", request, timeout)
        return [row.value for row in answer.result.regressions]

    def status(self, model: str, version: int | None = None, *, timeout: float | None = None) -> list[VersionStatus]:
        """See `PredictClient.status`."""
        request = wire.GetModelStatusRequest(model_spec=_model_spec(model, version, None))
        answer = self._call(f"{_MODEL}/GetModelStatus", request, timeout)
        return [
            VersionStatus(row.version, State(row.state), Code(row.status.error_code), row.status.error_message)
            for row in answer.model_version_status
        ]

    def metadata(self, model: str, version: int | None = None, *, timeout: float | None = None) -> dict[str, SignatureSpec]:
        """See `PredictClient.metadata`."""
        request = wire.GetModelMetadataRequest(model_spec=_model_spec(model, version, None), metadata_field=["signature_def"])
        answer = self._call(f"{_PREDICTION}/GetModelMetadata", request, timeout)
        return metadata.from_messages(wire.SignatureDefMap.FromString(answer.metadata["signature_def"].value).signature_def)

    def live_version(self, model: str) -> int | None:
        """See `PredictClient.live_version`."""
        try:
            return latest_available(self.status(model))
        except ModelNotFound:
            return None

    def close(self) -> None:
        """See `PredictClient.close`."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _call(self, path: str, request: Any, timeout: float | None) -> Any:
        try:
            return self._calls[path](request, timeout=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout)
        except grpc.RpcError as error:
            code, details = Code[error.code().name], error.details() or ""
            if code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED):
                details = f"{self.address}: {details}"
            raise error_for(code, details) from error


_ANSWERS: dict[str, Any] = {
    f"{_PREDICTION}/Predict": wire.PredictResponse,
    f"{_PREDICTION}/Classify": wire.ClassificationResponse,
    f"{_PREDICTION}/Regress": wire.RegressionResponse,
    f"{_PREDICTION}/GetModelMetadata": wire.GetModelMetadataResponse,
    f"{_MODEL}/GetModelStatus": wire.GetModelStatusResponse,
}


def _model_spec(model: str, version: int | None, signature: str | None) -> wire.ModelSpec:
    spec = wire.ModelSpec(name=model, signature_name=signature or "")
    if version is not None:
        spec.version.value = version
    return spec


def _input(examples: Sequence[Features]) -> wire.Input:
    try:
        built = [example_json.build_example({name: _plain(value) for name, value in row.items()}).SerializeToString() for row in examples]
    except StatusError as error:
        raise BadRequest(error.message, code=error.code.name) from error
    return wire.Input(example_list=wire.ExampleList(examples=built))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    return list(value) if isinstance(value, tuple) else value
