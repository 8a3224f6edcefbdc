"""What classify and regress ask of a signature, and what they make of the tensors that it gives."""

from __future__ import annotations

from collections.abc import Mapping

from serving.protocol import wire_pb2 as wire
from serving.protocol.dtypes import of_array
from serving.protocol.signature import CLASSIFY_METHOD, REGRESS_METHOD, SignatureSpec
from serving.protocol.status import invalid
from serving.server.servable import Array

INPUT = "inputs"
_CLASSES, _SCORES, _OUTPUT = "classes", "scores", "outputs"

Classes = list[tuple[str, float]]


def classification_fetches(signature: SignatureSpec, definition: wire.SignatureDef, check_method_name: bool) -> list[str]:
    """The tensors to compute to classify examples. Raises StatusError, showing `definition`, for a signature that cannot classify."""
    if check_method_name and signature.method_name != CLASSIFY_METHOD:
        raise invalid(f"Expected classification signature method_name to be {CLASSIFY_METHOD}. Was: {signature.method_name}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if not 1 <= len(signature.outputs) <= 2:
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if INPUT not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {definition}")
    if not {_CLASSES, _SCORES} & signature.outputs.keys():
        raise invalid(
            f'Expected classification signature outputs to contain at least one of "{_CLASSES}" or "{_SCORES}". Signature was: {definition}'
        )
    return [signature.outputs[alias].tensor_name for alias in (_CLASSES, _SCORES) if alias in signature.outputs]


def regression_fetches(signature: SignatureSpec, definition: wire.SignatureDef, check_method_name: bool) -> list[str]:
    """The tensor to compute to regress examples. Raises StatusError, showing `definition`, for a signature that cannot regress."""
    if check_method_name and signature.method_name != REGRESS_METHOD:
        raise invalid(f"Expected regression signature method_name to be {REGRESS_METHOD}. Was: {signature.method_name}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if INPUT not in signature.inputs:
        raise invalid(f"No regression inputs found in SignatureDef: {definition}")
    if _OUTPUT not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {definition}")
    return [signature.outputs[_OUTPUT].tensor_name]


def classes_of(signature: SignatureSpec, outputs: Mapping[str, Array], batch: int) -> list[Classes]:
    """For each example its classes as (label, score), from outputs by tensor name: both [batch, classes]. Raises StatusError.

    A label that is not UTF-8 has surrogate escapes for its bytes.
    """
    classes, scores = (_output(signature, alias, outputs) for alias in (_CLASSES, _SCORES))
    for alias, array, kind in ((_CLASSES, classes, "DT_STRING"), (_SCORES, scores, "DT_FLOAT")):
        if array is not None:
            _check_matrix(alias, array, kind, batch)
    if classes is not None and scores is not None and classes.shape[1] != scores.shape[1]:
        raise invalid(f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}")
    width = max(array.shape[1] for array in (classes, scores) if array is not None)
    labels = [[""] * width] * batch if classes is None else [[_text(label) for label in row] for row in classes.tolist()]
    values = [[0.0] * width] * batch if scores is None else scores.tolist()
    return [list(zip(*row, strict=True)) for row in zip(labels, values, strict=True)]


def _output(signature: SignatureSpec, alias: str, outputs: Mapping[str, Array]) -> Array | None:
    return outputs[signature.outputs[alias].tensor_name] if alias in signature.outputs else None


def _check_matrix(alias: str, array: Array, kind: str, batch: int) -> None:
    if array.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(array)}")
    if _kind(array) != kind:
        raise invalid(f"Expected {alias} Tensor of {kind}. Got: {_kind(array)}")
    if len(array) != batch:
        raise invalid(f"Expected {alias} output batch size of {batch}. Got: {len(array)}")


def values_of(signature: SignatureSpec, outputs: Mapping[str, Array], batch: int) -> list[float]:
    """For each example its value, from outputs by tensor name: [batch] or [batch, 1]. Raises StatusError."""
    output = outputs[signature.outputs[_OUTPUT].tensor_name]
    if not (output.ndim == 1 or (output.ndim == 2 and output.shape[1] == 1)):
        raise invalid(f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {_shape(output)}")
    if len(output) != batch:
        raise invalid(f"Input batch size did not match output batch size: {batch} vs. {len(output)}")
    if _kind(output) != "DT_FLOAT":
        # Both blanks are upstream's.
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {_kind(output)}")
    return list(map(float, output.ravel().tolist()))


def _kind(array: Array) -> str:
    return f"DT_{of_array(array).tf_name.upper()}"


def _shape(array: Array) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"


def _text(label: bytes) -> str:
    return label.decode("utf-8", "surrogateescape")
