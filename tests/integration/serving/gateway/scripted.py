"""A model server that does what the test says: it answers, waits, or fails, version by version."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import PREDICT_METHOD

_THREADS = 64


@dataclass
class Scripted:
    """``answer``: what becomes of a predict call, given its request; ``held`` ends every wait."""

    answer: Callable[[wire.PredictRequest, Any], None]
    address: str = ""
    asked: list[int] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def versions(self) -> list[int]:
        """The versions that were asked for so far; 0 is the newest."""
        return sorted(self.asked)

    def predict(self, request: wire.PredictRequest, context: Any) -> wire.PredictResponse:
        """Y = x."""
        self.asked.append(request.model_spec.version.value)
        self.answer(request, context)
        response = wire.PredictResponse(model_spec=request.model_spec)
        response.model_spec.version.value = request.model_spec.version.value or 1
        response.outputs["y"].CopyFrom(request.inputs["x"])
        return response

    def metadata(self, request: wire.GetModelMetadataRequest, context: Any) -> wire.GetModelMetadataResponse:
        """One signature: x, any numbers, to y."""
        del context
        signatures = wire.SignatureDefMap()
        for tensors in (signatures.signature_def["serving_default"].inputs["x"], signatures.signature_def["serving_default"].outputs["y"]):
            tensors.dtype = wire.DataType.ValueType(1)
            tensors.tensor_shape.dim.add(size=-1)
        signatures.signature_def["serving_default"].method_name = PREDICT_METHOD
        response = wire.GetModelMetadataResponse(model_spec=request.model_spec)
        response.model_spec.version.value = request.model_spec.version.value or 1
        response.metadata["signature_def"].value = signatures.SerializeToString()
        return response

    def status(self, request: wire.GetModelStatusRequest, context: Any) -> wire.GetModelStatusResponse:
        """Version 1 is there."""
        del request, context
        return wire.GetModelStatusResponse(
            model_version_status=[wire.ModelVersionStatus(version=1, state=wire.ModelVersionStatus.AVAILABLE)]
        )


@contextmanager
def scripted(answer: Callable[[wire.PredictRequest, Any], None], port: int = 0) -> Iterator[Scripted]:
    """The server on a free port, or on this one."""
    state, pool = Scripted(answer), ThreadPoolExecutor(_THREADS)
    server = grpc.server(pool, options=[("grpc.so_reuseport", 0)])

    def method(call: Any, request: Any, response: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(call, request.FromString, response.SerializeToString)

    prediction = {
        "Predict": method(state.predict, wire.PredictRequest, wire.PredictResponse),
        "GetModelMetadata": method(state.metadata, wire.GetModelMetadataRequest, wire.GetModelMetadataResponse),
    }
    model = {"GetModelStatus": method(state.status, wire.GetModelStatusRequest, wire.GetModelStatusResponse)}
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", prediction),
            grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", model),
        )
    )
    state.address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    server.start()
    try:
        yield state
    finally:
        state.held.set()
        server.stop(None).wait()
        pool.shutdown()
