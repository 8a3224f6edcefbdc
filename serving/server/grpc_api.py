"""The gRPC coat: TF Serving's PredictionService and ModelService, on messages of our own package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.status import Code, StatusError, invalid
from serving.server import admin, messages
from serving.server.core import Call, Core

log = logging.getLogger(__name__)

_SIGNATURE_FIELD = "signature_def"
_SIGNATURE_TYPE = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
_LONGEST_MESSAGE = 1024
_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}
_NO_DEADLINE_SECONDS = 365 * 86_400.0

Request = TypeVar("Request", bound=Message)
_Behaviour = Callable[[Any, grpc.ServicerContext], Message]


class GrpcApi:
    """Answers every request of the gRPC API. Each method may run in many threads at once."""

    def __init__(self, core: Core, others: list[grpc.GenericRpcHandler] | None = None, drain: Callable[[], None] = lambda: None) -> None:
        """``others``: services that stand beside ours on the port; ``drain`` is called when it closes."""
        self._core, self._others, self.drain = core, others or [], drain

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The route table."""
        prediction = {
            "Predict": _unary(self._predict, wire.PredictRequest),
            "Classify": _unary(self._classify, wire.ClassificationRequest),
            "Regress": _unary(self._regress, wire.RegressionRequest),
            "MultiInference": _unary(self._multi_inference, wire.MultiInferenceRequest),
            "GetModelMetadata": _unary(self._metadata, wire.GetModelMetadataRequest),
        }
        model = {
            "GetModelStatus": _unary(self._status, wire.GetModelStatusRequest),
            "HandleReloadConfigRequest": _unary(self._reload, wire.ReloadConfigRequest),
        }
        return [
            grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", prediction),
            grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", model),
            *self._others,
        ]

    def _predict(self, request: wire.PredictRequest, context: grpc.ServicerContext) -> wire.PredictResponse:
        with Call(self._core, "Predict", "GRPC", request.model_spec.name) as call:
            servable = call.lease(_target(request))
            response = _named(messages.predict(servable, request, self._core.options, _remaining(context)), call)
            if (logger := self._core.logs.chosen(call.model)) is not None:
                logger.log_predict(request, response, call.version)
            return response

    def _classify(self, request: wire.ClassificationRequest, context: grpc.ServicerContext) -> wire.ClassificationResponse:
        with Call(self._core, "Classify", "GRPC", request.model_spec.name) as call:
            servable = call.lease(_target(request))
            response = _named(messages.classify(servable, request, self._core.options, _remaining(context)), call)
            self._core.metrics.examples(call.model, call.version, len(response.result.classifications))
            if (logger := self._core.logs.chosen(call.model)) is not None:
                logger.log_classify(request, response, call.version)
            return response

    def _regress(self, request: wire.RegressionRequest, context: grpc.ServicerContext) -> wire.RegressionResponse:
        with Call(self._core, "Regress", "GRPC", request.model_spec.name) as call:
            servable = call.lease(_target(request))
            response = _named(messages.regress(servable, request, self._core.options, _remaining(context)), call)
            self._core.metrics.examples(call.model, call.version, len(response.result.regressions))
            if (logger := self._core.logs.chosen(call.model)) is not None:
                logger.log_regress(request, response, call.version)
            return response

    def _multi_inference(self, request: wire.MultiInferenceRequest, context: grpc.ServicerContext) -> wire.MultiInferenceResponse:
        # TF Serving counts no request of this method and of those below, so neither do we.
        target = _target_of(messages.spec_of_tasks(request))
        with self._core.models.lease(target.model, target.version, target.label) as lease:
            response = messages.multi_inference(lease.servable, request, self._core.options, _remaining(context))
            for result in response.results:
                result.model_spec.version.value = lease.version
            self._core.metrics.examples(target.model, lease.version, len(messages.examples_of(request.input)))
            if (logger := self._core.logs.chosen(target.model)) is not None:
                logger.log_multi_inference(request, response, lease.version)
            return response

    def _metadata(self, request: wire.GetModelMetadataRequest, _: grpc.ServicerContext) -> wire.GetModelMetadataResponse:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_FIELD:
                raise invalid(f"Metadata field {field} is not supported")
        target = _target(request)
        with self._core.models.lease(target.model, target.version, target.label) as lease:
            signatures = wire.SignatureDefMap(signature_def=lease.servable.signature_defs)
            response = wire.GetModelMetadataResponse(model_spec=wire.ModelSpec(name=target.model))
            response.model_spec.version.value = lease.version
            response.metadata[_SIGNATURE_FIELD].type_url = _SIGNATURE_TYPE
            response.metadata[_SIGNATURE_FIELD].value = signatures.SerializeToString()
            return response

    def _status(self, request: wire.GetModelStatusRequest, _: grpc.ServicerContext) -> wire.GetModelStatusResponse:
        target = _target(request)
        rows = [
            wire.ModelVersionStatus(
                version=status.version,
                state=wire.ModelVersionStatus.State.ValueType(status.state),
                status=wire.StatusProto(error_code=status.code, error_message=status.message),
            )
            for status in self._core.cluster.statuses(target.model, target.version)
        ]
        return wire.GetModelStatusResponse(model_version_status=rows)

    def _reload(self, request: wire.ReloadConfigRequest, context: grpc.ServicerContext) -> wire.ReloadConfigResponse:
        refused = admin.refusal(context.peer(), context.invocation_metadata(), self._core.admin_token, strict=self._core.strict)
        if refused is not None:
            raise refused
        cluster, remaining = self._core.cluster, _remaining(context)
        grown = cluster.increases(list(request.metric_names), lambda: cluster.reload(request.config, remaining))
        metrics = [wire.Metric(name=name, int64_value_increase=increase) for name, increase in grown.items()]
        return wire.ReloadConfigResponse(status=wire.StatusProto(error_code=0), metric=metrics)


def _target(request: Any) -> Target:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return _target_of(request.model_spec)


def _target_of(spec: wire.ModelSpec) -> Target:
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Target(
        model=spec.name,
        version=spec.version.value if choice == "version" else None,
        label=spec.version_label if choice == "version_label" else None,
    )


def _named(response: Any, call: Call) -> Any:
    response.model_spec.name = call.model
    response.model_spec.version.value = call.version
    return response


def _remaining(context: grpc.ServicerContext) -> float | None:
    """Seconds until the client's deadline; None when it has none."""
    remaining = context.time_remaining()
    return None if remaining is None or remaining > _NO_DEADLINE_SECONDS else float(remaining)


def _unary(behaviour: _Behaviour, request_type: type[Message]) -> grpc.RpcMethodHandler[Any, Any]:
    # Bytes in and out: a message that cannot be read gets an answer of ours instead of a traceback in the log.
    def answer(content: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return behaviour(request_type.FromString(content), context).SerializeToString()
        except StatusError as error:
            code, text = error.code, error.message
        except DecodeError as error:
            code, text = Code.INTERNAL, f"The request is not a {request_type.DESCRIPTOR.name}: {error}"
        except Exception as error:  # a fault of ours must cost one request, not the server
            log.exception("%s failed", request_type.DESCRIPTOR.name)
            code, text = Code.INTERNAL, f"{type(error).__name__}: {error}"
        if len(text) > _LONGEST_MESSAGE:
            text = text[:_LONGEST_MESSAGE] + "...TRUNCATED"
        context.abort(_GRPC_CODES[int(code)], text)
        raise AssertionError("abort returns never")

    return grpc.unary_unary_rpc_method_handler(answer)
