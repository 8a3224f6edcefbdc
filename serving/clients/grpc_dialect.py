"""The gRPC API's words: messages from values, values from messages; and how a channel is made. Needs grpcio and protobuf."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from serving.clients.base import Answers, Classes, Features, Outputs, Signatures, bad_request, error_for, is_loopback
from serving.clients.options import Options, Place
from serving.errors import PredictError
from serving.protocol import examples as example_json
from serving.protocol import metadata, tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, State, StatusError, VersionStatus

_PREDICTION = "/tensorflow.serving.PredictionService"
_MODEL = "/tensorflow.serving.ModelService"
PREDICT, CLASSIFY, REGRESS = f"{_PREDICTION}/Predict", f"{_PREDICTION}/Classify", f"{_PREDICTION}/Regress"
METADATA, STATUS = f"{_PREDICTION}/GetModelMetadata", f"{_MODEL}/GetModelStatus"
ANSWERS: dict[str, Any] = {
    PREDICT: wire.PredictResponse,
    CLASSIFY: wire.ClassificationResponse,
    REGRESS: wire.RegressionResponse,
    METADATA: wire.GetModelMetadataResponse,
    STATUS: wire.GetModelStatusResponse,
}
# gRPC waits 1 s, then up to 2 minutes, before it looks again for a server that was gone; model servers are back sooner.
_FIRST_RECONNECT_MS, _LONGEST_RECONNECT_MS = 100, 5_000


@dataclass(frozen=True)
class GrpcCall:
    """A method's path and its message."""

    path: str
    message: Any


class GrpcDialect:
    """A `serving.clients.conversation.Dialect` of `GrpcCall` and the messages that answer it."""

    def predict(self, target: Target, inputs: Mapping[str, npt.ArrayLike], spec: SignatureSpec, signature: str | None) -> GrpcCall:
        """See `Dialect`."""
        request = wire.PredictRequest(model_spec=_model_spec(target, signature))
        for name, value in inputs.items():
            try:
                request.inputs[name].CopyFrom(tensors.to_proto(value, spec.inputs[name].dtype))
            except ValueError as error:
                raise bad_request(f"input {name}: {error}") from error
        return GrpcCall(PREDICT, request)

    def read_outputs(self, answer: Any, spec: SignatureSpec) -> Outputs:
        """See `Dialect`."""
        del spec  # a message says itself what it holds
        return Outputs({name: tensors.to_array(proto) for name, proto in sorted(answer.outputs.items())}, _version(answer))

    def classify(self, target: Target, examples: Sequence[Features], signature: str | None) -> GrpcCall:
        """See `Dialect`."""
        return GrpcCall(CLASSIFY, wire.ClassificationRequest(model_spec=_model_spec(target, signature), input=_input(examples)))

    def read_classes(self, answer: Any) -> Answers[Classes]:
        """See `Dialect`."""
        rows = [[(item.label, item.score) for item in row.classes] for row in answer.result.classifications]
        return Answers(rows, _version(answer))

    def regress(self, target: Target, examples: Sequence[Features], signature: str | None) -> GrpcCall:
        """See `Dialect`."""
        return GrpcCall(REGRESS, wire.RegressionRequest(model_spec=_model_spec(target, signature), input=_input(examples)))

    def read_values(self, answer: Any) -> Answers[float]:
        """See `Dialect`."""
        return Answers([row.value for row in answer.result.regressions], _version(answer))

    def status(self, target: Target) -> GrpcCall:
        """See `Dialect`."""
        return GrpcCall(STATUS, wire.GetModelStatusRequest(model_spec=_model_spec(target, None)))

    def read_status(self, answer: Any) -> list[VersionStatus]:
        """See `Dialect`."""
        return [
            VersionStatus(row.version, State(row.state), Code(row.status.error_code), row.status.error_message)
            for row in answer.model_version_status
        ]

    def metadata(self, target: Target) -> GrpcCall:
        """See `Dialect`."""
        return GrpcCall(METADATA, wire.GetModelMetadataRequest(model_spec=_model_spec(target, None), metadata_field=["signature_def"]))

    def read_metadata(self, answer: Any) -> Signatures:
        """See `Dialect`."""
        try:
            definitions = wire.SignatureDefMap.FromString(answer.metadata["signature_def"].value)
        except wire_errors() as error:
            raise ValueError(f"not model metadata: {error}") from error
        return Signatures(metadata.from_messages(definitions.signature_def), _version(answer))


def wire_errors() -> type[Exception]:
    """What protobuf raises for bytes that are no message."""
    from google.protobuf.message import DecodeError

    error: type[Exception] = DecodeError
    return error


def channel_options(place: Place, options: Options) -> list[tuple[str, Any]]:
    """How a channel behaves: messages of any size, quick to reconnect, no proxy to this machine."""
    settings: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.enable_http_proxy", int(not is_loopback(place.address))),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
    ]
    if options.balanced:
        settings.append(("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})))
    if place.tls and place.tls.server_name:
        settings.append(("grpc.ssl_target_name_override", place.tls.server_name))
    return settings


def credentials(place: Place) -> grpc.ChannelCredentials | None:
    """Of a channel with TLS; None for a plain one. Raises UsageError that names the file that is wrong."""
    if place.tls is None:
        return None
    from serving.clients.tls import pem_texts

    return grpc.ssl_channel_credentials(*pem_texts(place.tls))


def call_metadata(options: Options) -> tuple[tuple[str, str], ...] | None:
    """The headers of every call; gRPC wants their names in lower case."""
    return tuple((name.lower(), value) for name, value in options.headers.items()) or None


def failure(address: str, error: Any) -> PredictError:
    """The error to raise for one of gRPC's."""
    code, details = Code[error.code().name], error.details() or ""
    if code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED):
        details = f"{address}: {details}"
    return error_for(code, details)


def serialized(message: Any) -> bytes:
    """A message as gRPC sends it."""
    content: bytes = message.SerializeToString()
    return content


def _version(answer: Any) -> int | None:
    spec = answer.model_spec
    return spec.version.value if spec.WhichOneof("version_choice") == "version" else None


def _model_spec(target: Target, signature: str | None) -> wire.ModelSpec:
    spec = wire.ModelSpec(name=target.model, signature_name=signature or "")
    if target.version is not None:
        spec.version.value = target.version
    elif target.label is not None:
        spec.version_label = target.label
    return spec


def _input(examples: Sequence[Features]) -> wire.Input:
    try:
        built = [example_json.build_example({name: _plain(value) for name, value in row.items()}).SerializeToString() for row in examples]
    except StatusError as error:
        raise bad_request(error.message) from error
    return wire.Input(example_list=wire.ExampleList(examples=built))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    return list(value) if isinstance(value, tuple) else value
