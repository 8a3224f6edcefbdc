"""Predict, classify and regress on a loaded model: arrays in, arrays out; knows neither HTTP nor gRPC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import DEFAULT_SIGNATURE
from serving.protocol.status import Code, StatusError, invalid
from serving.server.servable import Array, Servable

_EXAMPLES_INPUT = "inputs"


def predict(servable: Servable, name: str, inputs: Mapping[str, Array], output_filter: Sequence[str] = ()) -> dict[str, Array]:
    """Run signature `name` (empty: the default one) and return its outputs, or those of the filter. Raises StatusError."""
    key = name or DEFAULT_SIGNATURE
    signature = servable.signature_defs.get(key)
    if signature is None or key not in servable.signatures:
        raise StatusError(Code.FAILED_PRECONDITION, f'Serving signature key "{key}" not found.')
    feeds = _feeds(signature, inputs)
    wanted = _wanted(signature, output_filter)
    values = servable.run(feeds, [signature.outputs[alias].name for alias in wanted])
    return dict(zip(wanted, values, strict=True))


def _feeds(signature: wire.SignatureDef, inputs: Mapping[str, Array]) -> dict[str, Array]:
    required = set(signature.inputs) - set(signature.defaults)
    if len(inputs) > len(signature.inputs) or (len(inputs) < len(signature.inputs) and required - set(inputs)):
        extra, missing = set(inputs) - set(signature.inputs), required - set(inputs)
        raise invalid(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} "
            f"len({_braced(inputs)}) != len({_braced(signature.inputs)}). "
            f"Sent extra: {_braced(extra)}. Missing but required: {_braced(missing)}."
        )
    if unknown := set(inputs) - set(signature.inputs):
        if not required - set(inputs):
            raise invalid(f"Inputs contains invalid name. Used request inputs: {_braced(set(inputs) - unknown)}")
        alias = min(required - set(inputs))
        raise invalid(
            f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found in request and no default value "
            f"provided. Inputs expected to be in the request {_braced(required)}, "
            f"or default input alias set: {_braced(signature.defaults)}"
        )
    feeds = {info.name: inputs[alias] for alias, info in signature.inputs.items() if alias in inputs}
    for alias, default in signature.defaults.items():
        if alias not in inputs:
            feeds[signature.inputs[alias].name] = tensors.to_array(default)
    return feeds


def _wanted(signature: wire.SignatureDef, output_filter: Sequence[str]) -> list[str]:
    chosen: list[str] = []
    for alias in output_filter:
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set {_braced(signature.outputs)}."
            )
        if alias in chosen:
            raise invalid(f"duplicate output tensor alias: {alias}")
        chosen.append(alias)
    return chosen or sorted(signature.outputs)


def _braced(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def classify(servable: Servable, name: str, examples: Sequence[bytes]) -> list[list[tuple[str, float]]]:
    """For each serialized tf.Example its classes as (label, score); a model may give only one of the two. Raises StatusError."""
    signature = _example_signature(servable, name, "classification")
    if not 1 <= len(signature.outputs) <= 2:
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    wanted = [alias for alias in ("classes", "scores") if alias in signature.outputs]
    if not wanted:
        raise invalid(f'Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: {name}')
    values = _run_examples(servable, signature, wanted, examples)
    classes, scores = values.get("classes"), values.get("scores")
    for array in values.values():
        if array.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(array)}")
    if classes is not None and classes.dtype.kind != "O":
        raise invalid(f"Expected classes Tensor of DT_STRING. Got: {classes.dtype}")
    for alias, array in values.items():
        if len(array) != len(examples):
            raise invalid(f"Expected {alias} output batch size of {len(examples)}. Got: {len(array)}")
    if classes is not None and scores is not None and classes.shape[1] != scores.shape[1]:
        raise invalid(f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}")
    return [_classes_of(row, classes, scores) for row in range(len(examples))]


def _classes_of(row: int, classes: Array | None, scores: Array | None) -> list[tuple[str, float]]:
    width = (classes if classes is not None else scores).shape[1]  # type: ignore[union-attr]  # one of them is there
    labels = [""] * width if classes is None else [label.decode("utf-8", "replace") for label in classes[row]]
    values = [0.0] * width if scores is None else scores[row].tolist()
    return list(zip(labels, values, strict=True))


def regress(servable: Servable, name: str, examples: Sequence[bytes]) -> list[float]:
    """For each serialized tf.Example its value. Raises StatusError."""
    signature = _example_signature(servable, name, "regression")
    if len(signature.outputs) != 1 or "outputs" not in signature.outputs:
        raise invalid(f"Expected one output Tensor named outputs, found {_braced(signature.outputs)}")
    output = _run_examples(servable, signature, ["outputs"], examples)["outputs"]
    if not (output.ndim == 1 or (output.ndim == 2 and output.shape[1] == 1)):
        raise invalid(f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {_shape(output)}")
    if output.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {output.dtype}")
    if len(output) != len(examples):
        raise invalid(f"Input batch size did not match output batch size: {len(examples)} vs. {len(output)}")
    return [float(value) for value in output.ravel()]


def _example_signature(servable: Servable, name: str, kind: str) -> wire.SignatureDef:
    key = name or DEFAULT_SIGNATURE
    signature = servable.signature_defs.get(key)
    if signature is None or key not in servable.signatures:
        raise invalid(f"No signature was found with the name: {key}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if _EXAMPLES_INPUT not in signature.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {key}")
    return signature


def _run_examples(servable: Servable, signature: wire.SignatureDef, wanted: Sequence[str], examples: Sequence[bytes]) -> dict[str, Array]:
    if not examples:
        raise invalid("Input is empty.")
    batch = np.empty(len(examples), dtype=object)
    batch[:] = list(examples)
    fetches = [signature.outputs[alias].name for alias in wanted]
    return dict(zip(wanted, servable.run({signature.inputs[_EXAMPLES_INPUT].name: batch}, fetches), strict=True))


def _shape(array: Array) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"
