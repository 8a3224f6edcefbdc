"""Request messages of the gRPC API run on a loaded model: what the gRPC coat and the warm-up share."""

from __future__ import annotations

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import DEFAULT_SIGNATURE
from serving.protocol.status import invalid
from serving.server import handlers
from serving.server.servable import Servable


def predict(servable: Servable, request: wire.PredictRequest) -> wire.PredictResponse:
    """Answer a PredictRequest; the caller fills in the model's name and version. Raises StatusError."""
    inputs = {}
    for alias, proto in request.inputs.items():
        try:
            inputs[alias] = tensors.to_array(proto)
        except (ValueError, OverflowError, MemoryError) as error:
            raise invalid(f"tensor parsing error: {alias}: {error}") from error
    outputs = handlers.predict(servable, request.model_spec.signature_name, inputs, list(request.output_filter))
    response = wire.PredictResponse(model_spec=_spec(request.model_spec.signature_name))
    for alias, array in outputs.items():
        response.outputs[alias].CopyFrom(tensors.to_proto(array))
    return response


def classify(servable: Servable, request: wire.ClassificationRequest) -> wire.ClassificationResponse:
    """Answer a ClassificationRequest. Raises StatusError."""
    results = handlers.classify(servable, request.model_spec.signature_name, examples_of(request.input))
    rows = [wire.Classifications(classes=[wire.Class(label=label, score=score) for label, score in classes]) for classes in results]
    return wire.ClassificationResponse(
        result=wire.ClassificationResult(classifications=rows), model_spec=_spec(request.model_spec.signature_name)
    )


def regress(servable: Servable, request: wire.RegressionRequest) -> wire.RegressionResponse:
    """Answer a RegressionRequest. Raises StatusError."""
    values = handlers.regress(servable, request.model_spec.signature_name, examples_of(request.input))
    rows = [wire.Regression(value=value) for value in values]
    return wire.RegressionResponse(result=wire.RegressionResult(regressions=rows), model_spec=_spec(request.model_spec.signature_name))


def examples_of(message: wire.Input) -> list[bytes]:
    """The serialized tf.Examples of an Input. A context comes first in each, so that the example's own features win."""
    kind = message.WhichOneof("kind")
    if kind == "example_list":
        return list(message.example_list.examples)
    if kind == "example_list_with_context":
        listed = message.example_list_with_context
        return [listed.context + example for example in listed.examples]
    raise invalid("Input is empty.")


def _spec(signature_name: str) -> wire.ModelSpec:
    return wire.ModelSpec(signature_name=signature_name or DEFAULT_SIGNATURE)
