"""REST requests as the messages that a prediction log is made of; nothing is made of those that are not logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.server import messages
from serving.server.core import Core
from serving.server.example_handlers import Classes
from serving.server.servable import Array


def log_predict(core: Core, model: str, version: int | None, name: str, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
    """Log a predict request, or not."""
    logger = core.logs.chosen(model)
    if logger is None:
        return
    request, response = wire.PredictRequest(model_spec=_spec(model, name)), wire.PredictResponse()
    for alias, array in inputs.items():
        tensors.write_proto(request.inputs[alias], array)
    for alias, array in outputs.items():
        tensors.write_proto(response.outputs[alias], array)
    logger.log_predict(request, response, version)


def log_classify(core: Core, model: str, version: int | None, name: str, batch: Sequence[bytes], results: Sequence[Classes]) -> None:
    """Log a classify request, or not."""
    logger = core.logs.chosen(model)
    if logger is None:
        return
    response = wire.ClassificationResponse()
    messages.write_classes(response.result, results)
    logger.log_classify(wire.ClassificationRequest(model_spec=_spec(model, name), input=_input(batch)), response, version)


def log_regress(core: Core, model: str, version: int | None, name: str, batch: Sequence[bytes], values: Sequence[float]) -> None:
    """Log a regress request, or not."""
    logger = core.logs.chosen(model)
    if logger is None:
        return
    response = wire.RegressionResponse()
    messages.write_values(response.result, values)
    logger.log_regress(wire.RegressionRequest(model_spec=_spec(model, name), input=_input(batch)), response, version)


def _spec(model: str, signature: str) -> wire.ModelSpec:
    return wire.ModelSpec(name=model, signature_name=signature)


def _input(batch: Sequence[bytes]) -> wire.Input:
    return wire.Input(example_list=wire.ExampleList(examples=batch))
