"""Request messages of the gRPC API run on a loaded model: what the gRPC coat and the warm-up share.

Every answer names the signature it used; the caller, who knows them, fills in the model's name and version.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import CLASSIFY_METHOD, DEFAULT_SIGNATURE
from serving.server import handlers
from serving.server.example_handlers import Classes
from serving.server.servable import Servable


@dataclass(frozen=True)
class CallOptions:
    """What the server's flags say of every call.

    ``check_method_names``: a signature serves only the method it was exported for.
    ``as_tensor_content``: predictions leave as one block of bytes for each tensor instead of typed fields.
    """

    check_method_names: bool = False
    as_tensor_content: bool = False


_DEFAULTS = CallOptions()


def predict(
    servable: Servable, request: wire.PredictRequest, options: CallOptions = _DEFAULTS, timeout_seconds: float | None = None
) -> wire.PredictResponse:
    """Answer a PredictRequest. Raises StatusError."""
    name = request.model_spec.signature_name
    outputs = handlers.predict(
        servable,
        name,
        dict(request.inputs),
        request.output_filter,
        timeout_seconds,
        check_method_name=options.check_method_names,
    )
    response = wire.PredictResponse()
    response.model_spec.signature_name = name or DEFAULT_SIGNATURE
    for alias, array in outputs.items():
        tensors.write_proto(response.outputs[alias], array, as_content=options.as_tensor_content)
    return response


def classify(
    servable: Servable, request: wire.ClassificationRequest, options: CallOptions = _DEFAULTS, timeout_seconds: float | None = None
) -> wire.ClassificationResponse:
    """Answer a ClassificationRequest. Raises StatusError."""
    name = request.model_spec.signature_name
    results = handlers.classify(servable, name, examples_of(request.input), timeout_seconds, check_method_name=options.check_method_names)
    response = wire.ClassificationResponse()
    response.model_spec.signature_name = name or DEFAULT_SIGNATURE
    write_classes(response.result, results)
    return response


def regress(
    servable: Servable, request: wire.RegressionRequest, options: CallOptions = _DEFAULTS, timeout_seconds: float | None = None
) -> wire.RegressionResponse:
    """Answer a RegressionRequest. Raises StatusError."""
    name = request.model_spec.signature_name
    values = handlers.regress(servable, name, examples_of(request.input), timeout_seconds, check_method_name=options.check_method_names)
    response = wire.RegressionResponse()
    response.model_spec.signature_name = name or DEFAULT_SIGNATURE
    write_values(response.result, values)
    return response


def multi_inference(
    servable: Servable, request: wire.MultiInferenceRequest, options: CallOptions = _DEFAULTS, timeout_seconds: float | None = None
) -> wire.MultiInferenceResponse:
    """Answer a MultiInferenceRequest; each result names its task's model and signature. Raises StatusError."""
    tasks = [handlers.Task(task.model_spec.name, task.model_spec.signature_name, task.method_name) for task in request.tasks]
    results = handlers.multi_inference(
        servable, tasks, examples_of(request.input), timeout_seconds, check_method_name=options.check_method_names
    )
    response = wire.MultiInferenceResponse()
    for task, found in zip(tasks, results, strict=True):
        result = response.results.add()
        result.model_spec.name, result.model_spec.signature_name = task.model, task.signature_name or DEFAULT_SIGNATURE
        if task.method_name == CLASSIFY_METHOD:
            write_classes(result.classification_result, found)  # type: ignore[arg-type]  # the method decides which it is
        else:
            write_values(result.regression_result, found)  # type: ignore[arg-type]
    return response


def spec_of_tasks(request: wire.MultiInferenceRequest) -> wire.ModelSpec:
    """Which model and version a MultiInferenceRequest means: what its first task says; no task leaves the name empty."""
    return request.tasks[0].model_spec if request.tasks else wire.ModelSpec()


def examples_of(message: wire.Input) -> list[bytes]:
    """The serialized tf.Examples of an Input, perhaps none. A context comes first in each, so that the example's own features win."""
    kind = message.WhichOneof("kind")
    if kind == "example_list_with_context":
        listed = message.example_list_with_context
        return [listed.context + example for example in listed.examples]
    return list(message.example_list.examples)


def write_classes(result: wire.ClassificationResult, rows: Iterable[Classes]) -> None:
    """Fill in the result of a classification."""
    for classes in rows:
        classifications = result.classifications.add()
        for label, score in classes:
            classifications.classes.add(label=_utf8(label), score=score)


def write_values(result: wire.RegressionResult, values: Iterable[float]) -> None:
    """Fill in the result of a regression."""
    for value in values:
        result.regressions.add(value=value)


def _utf8(label: str) -> str:
    """A protobuf string holds no surrogate escapes."""
    return label if label.isascii() else label.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
