"""The inference calls on a loaded model, arrays in and arrays out: they know neither HTTP nor gRPC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import CLASSIFY_METHOD, DEFAULT_SIGNATURE, PREDICT_METHOD, REGRESS_METHOD, SignatureSpec
from serving.protocol.status import Code, StatusError, invalid
from serving.server import example_handlers
from serving.server.example_handlers import Classes
from serving.server.servable import Array, Servable

_PREDICTABLE = (PREDICT_METHOD, CLASSIFY_METHOD, REGRESS_METHOD)
_FETCHES = {CLASSIFY_METHOD: example_handlers.classification_fetches, REGRESS_METHOD: example_handlers.regression_fetches}


def predict(
    servable: Servable,
    name: str,
    inputs: Mapping[str, Array | wire.TensorProto],
    output_filter: Sequence[str] = (),
    timeout_seconds: float | None = None,
    *,
    check_method_name: bool = False,
) -> dict[str, Array]:
    """Run signature `name` (empty: the default one) and return its outputs, or those of the filter, by alias.

    An input is an array or the message of one, which is read when its turn comes: the order of complaints is TF Serving's.
    Raises StatusError.
    """
    key = name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(key)
    if signature is None:
        raise StatusError(Code.FAILED_PRECONDITION, f'Serving signature key "{key}" not found.')
    if check_method_name and signature.method_name not in _PREDICTABLE:
        raise StatusError(
            Code.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{', '.join(_PREDICTABLE)}}}. Was: {signature.method_name}",
        )
    feeds = _feeds(servable, signature, inputs)
    wanted = _wanted(signature, output_filter)
    values = servable.run(feeds, [signature.outputs[alias].tensor_name for alias in wanted], timeout_seconds)
    return dict(zip(wanted, values, strict=True))


def _feeds(servable: Servable, signature: SignatureSpec, inputs: Mapping[str, Array | wire.TensorProto]) -> dict[str, Array]:
    """What to feed, sorted by the names of the tensors: the runtime keeps one executor for each order of names that it has seen."""
    defaults: Mapping[str, wire.TensorProto] = {}
    if inputs.keys() != signature.inputs.keys():
        defaults = servable.signature_defs[signature.name].defaults
        _check_size(signature, inputs, defaults)
    feeds, used = {}, []
    for alias, spec in signature.inputs.items():
        if alias in inputs:
            used.append(alias)
            feeds[spec.tensor_name] = _read(alias, inputs[alias])
        elif alias in defaults:
            feeds[spec.tensor_name] = _read(alias, defaults[alias])
        else:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {spec.tensor_name}) not found in request and no default value provided. "
                f"Inputs expected to be in the request {{{_joined(inputs)}}}, or default input alias set: {_joined(defaults)}"
            )
    if len(used) != len(inputs):
        raise invalid(f"Inputs contains invalid name. Used request inputs: {_joined(used)}, request input: {_joined(inputs)}")
    return dict(sorted(feeds.items()))


def _check_size(signature: SignatureSpec, inputs: Iterable[str], defaults: Mapping[str, wire.TensorProto]) -> None:
    sent, known = set(inputs), set(signature.inputs)
    if len(sent) > len(known) or (len(sent) < len(known) and not defaults):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(known)} len({{{_joined(sent)}}}) != len({{{_joined(known)}}}). "
            f"Sent extra: {{{_joined(sent - known)}}}. Missing but required: {{{_joined(known - sent)}}}."
        )


def _read(alias: str, value: Array | wire.TensorProto) -> Array:
    if isinstance(value, np.ndarray):
        return value
    try:
        return tensors.to_array(value)
    except (ValueError, OverflowError, MemoryError) as error:
        raise invalid(f"tensor parsing error: {alias}") from error


def _wanted(signature: SignatureSpec, output_filter: Sequence[str]) -> list[str]:
    """The aliases to fetch. Always sorted: callers may not make the runtime keep an executor for each order they think of."""
    chosen: set[str] = set()
    for alias in output_filter:
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set {{{_joined(signature.outputs)}}}."
            )
        if alias in chosen:
            raise invalid(f"duplicate output tensor alias: {alias}")
        chosen.add(alias)
    return sorted(chosen or signature.outputs)


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


@dataclass(frozen=True)
class Task:
    """One question of a multi-inference call: which signature of which model, and whether to classify or to regress with it."""

    model: str
    signature_name: str
    method_name: str


def classify(
    servable: Servable, name: str, examples: Sequence[bytes], timeout_seconds: float | None = None, *, check_method_name: bool = False
) -> list[Classes]:
    """For each serialized tf.Example its classes as (label, score); a model may give only one of the two. Raises StatusError."""
    signature = _example_signature(servable, name, "No signature was found with the name")
    fetches = example_handlers.classification_fetches(signature, servable.signature_defs[signature.name], check_method_name)
    outputs = _run(servable, [signature], fetches, examples, timeout_seconds)
    return example_handlers.classes_of(signature, outputs, len(examples))


def regress(
    servable: Servable, name: str, examples: Sequence[bytes], timeout_seconds: float | None = None, *, check_method_name: bool = False
) -> list[float]:
    """For each serialized tf.Example its value. Raises StatusError."""
    signature = _example_signature(servable, name, "No signature was found with the name")
    fetches = example_handlers.regression_fetches(signature, servable.signature_defs[signature.name], check_method_name)
    outputs = _run(servable, [signature], fetches, examples, timeout_seconds)
    return example_handlers.values_of(signature, outputs, len(examples))


def multi_inference(
    servable: Servable,
    tasks: Sequence[Task],
    examples: Sequence[bytes],
    timeout_seconds: float | None = None,
    *,
    check_method_name: bool = False,
) -> list[list[Classes] | list[float]]:
    """Classify and regress the same examples in one run of the model; one result for each task, in their order. Raises StatusError."""
    if not tasks:
        raise invalid("ModelSpec has no name specified.")
    signatures: list[SignatureSpec] = []
    fetches: set[str] = set()
    for task in tasks:
        signature = _signature_of(servable, task, tasks[0].model, {seen.name for seen in signatures})
        fetches_of = _FETCHES.get(task.method_name)
        if fetches_of is None:
            raise StatusError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
        fetches.update(fetches_of(signature, servable.signature_defs[signature.name], check_method_name))
        signatures.append(signature)
    outputs = _run(servable, signatures, sorted(fetches), examples, timeout_seconds)
    return [
        example_handlers.classes_of(signature, outputs, len(examples))
        if task.method_name == CLASSIFY_METHOD
        else example_handlers.values_of(signature, outputs, len(examples))
        for task, signature in zip(tasks, signatures, strict=True)
    ]


def _signature_of(servable: Servable, task: Task, model: str, seen: set[str]) -> SignatureSpec:
    if not task.model:
        raise invalid("Found ModelSpec with an empty model name.")
    if task.model != model:
        raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    key = task.signature_name or DEFAULT_SIGNATURE
    if key in seen:
        raise invalid(f"Duplicate evaluation of signature: {key}")
    return _example_signature(servable, key, "Requested signature not found in model graph")


def _example_signature(servable: Servable, name: str, complaint: str) -> SignatureSpec:
    key = name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(key)
    if signature is None:
        raise invalid(f"{complaint}: {key}")
    return signature


def _run(
    servable: Servable,
    signatures: Sequence[SignatureSpec],
    fetches: Sequence[str],
    examples: Sequence[bytes],
    timeout_seconds: float | None,
) -> dict[str, Array]:
    """The fetched tensors by their names; every signature's input gets the same examples."""
    if not examples:
        raise invalid("Input is empty.")
    batch = np.empty(len(examples), dtype=object)
    batch[:] = examples
    feeds = dict.fromkeys(sorted(signature.inputs[example_handlers.INPUT].tensor_name for signature in signatures), batch)
    return dict(zip(fetches, servable.run(feeds, fetches, timeout_seconds), strict=True))
