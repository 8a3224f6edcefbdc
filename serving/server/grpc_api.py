"""The gRPC coat: TF Serving's PredictionService and ModelService, on messages of our own package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.status import Code, StatusError, invalid
from serving.server import messages
from serving.server.models import Lease, Models
from serving.server.rest_api import resolve

log = logging.getLogger(__name__)

_SIGNATURE_FIELD = "signature_def"
_SIGNATURE_TYPE = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
_LONGEST_MESSAGE = 1024
_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcApi:
    """Answers every request of the gRPC API. Each method may run in many threads at once."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The route table."""
        prediction = {
            "Predict": _unary(self._predict, wire.PredictRequest),
            "Classify": _unary(self._classify, wire.ClassificationRequest),
            "Regress": _unary(self._regress, wire.RegressionRequest),
            "GetModelMetadata": _unary(self._metadata, wire.GetModelMetadataRequest),
        }
        model = {"GetModelStatus": _unary(self._status, wire.GetModelStatusRequest)}
        return [
            grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", prediction),
            grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", model),
        ]

    def _predict(self, request: wire.PredictRequest) -> wire.PredictResponse:
        target = _target(request)
        with self._models.lease(target.model, resolve(target)) as lease:
            return _named(messages.predict(lease.servable, request), target, lease)

    def _classify(self, request: wire.ClassificationRequest) -> wire.ClassificationResponse:
        target = _target(request)
        with self._models.lease(target.model, resolve(target)) as lease:
            return _named(messages.classify(lease.servable, request), target, lease)

    def _regress(self, request: wire.RegressionRequest) -> wire.RegressionResponse:
        target = _target(request)
        with self._models.lease(target.model, resolve(target)) as lease:
            return _named(messages.regress(lease.servable, request), target, lease)

    def _metadata(self, request: wire.GetModelMetadataRequest) -> wire.GetModelMetadataResponse:
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_FIELD:
                raise invalid(f"Metadata field {field} is not supported")
        target = _target(request)
        with self._models.lease(target.model, resolve(target)) as lease:
            signatures = wire.SignatureDefMap(signature_def=lease.servable.signature_defs)
            response = wire.GetModelMetadataResponse(model_spec=wire.ModelSpec())
            response.metadata[_SIGNATURE_FIELD].type_url = _SIGNATURE_TYPE
            response.metadata[_SIGNATURE_FIELD].value = signatures.SerializeToString()
            return _named(response, target, lease)

    def _status(self, request: wire.GetModelStatusRequest) -> wire.GetModelStatusResponse:
        target = _target(request)
        rows = [
            wire.ModelVersionStatus(
                version=status.version,
                state=wire.ModelVersionStatus.State.ValueType(status.state),
                status=wire.StatusProto(error_code=status.code, error_message=status.message),
            )
            for status in self._models.statuses(target.model, target.version)
        ]
        return wire.GetModelStatusResponse(model_version_status=rows)


def _target(request: Any) -> Target:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Target(
        model=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )


def _named(response: Any, target: Target, lease: Lease) -> Any:
    response.model_spec.name = target.model
    response.model_spec.version.value = lease.version
    return response


def _unary(behaviour: Callable[[Any], Message], request_type: type[Message]) -> grpc.RpcMethodHandler[Any, Any]:
    def answer(request: Any, context: grpc.ServicerContext) -> Message:
        try:
            return behaviour(request)
        except StatusError as error:
            code, text = error.code, error.message
        except Exception as error:  # a fault of ours must cost one request, not the server
            log.exception("%s failed", request_type.__name__)
            code, text = Code.INTERNAL, f"{type(error).__name__}: {error}"
        if len(text) > _LONGEST_MESSAGE:
            text = text[:_LONGEST_MESSAGE] + "...TRUNCATED"
        context.abort(_GRPC_CODES[int(code)], text)
        raise AssertionError("abort returns never")

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request_type.FromString, response_serializer=lambda message: message.SerializeToString()
    )
