"""Bodies of the REST predict call: the server reads requests and writes answers, the client does the reverse.

Row format (``instances`` -> ``predictions``): one element per example, the batch dimension is the length of the list.
Columnar format (``inputs`` -> ``outputs``): whole tensors by name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.protocol.casting import cast
from serving.protocol.dtypes import BY_NAME
from serving.protocol.json_arrays import Array, infer_shape, is_base64, read_array, write_array, write_rows
from serving.protocol.json_text import shown
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import StatusError, invalid

_PLAIN_INSTANCES = "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map"
_PLAIN_INPUTS = "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"


class Format(Enum):
    """How a request spells its tensors; the answer is spelled the same way."""

    ROW = "row"
    COLUMNAR = "columnar"


def read_signature_name(document: Mapping[str, Any]) -> str:
    """The signature a request names, or ''. Comes before everything else in a request's checks."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value.")
    return name


def read_inputs(document: Mapping[str, Any], signature: SignatureSpec, asked: str = "") -> tuple[Format, dict[str, Array]]:
    """The tensors of a predict request; ``asked`` is the signature name as the request gave it. Raises StatusError."""
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {asked or 'DEFAULT'}")
    if "instances" in document and "inputs" in document:
        raise invalid(f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        instances = document["instances"]
        if not isinstance(instances, list):
            raise invalid(f"JSON Value: {shown(document)} Expecting 'instances' to be an list/array")
        if not instances:
            raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
        return Format.ROW, _read_rows(instances, signature.inputs)
    if "inputs" in document:
        return Format.COLUMNAR, _read_columns(document["inputs"], signature.inputs)
    raise invalid("Missing 'inputs' or 'instances' key")


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _read_rows(instances: list[Any], inputs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    if len(inputs) > 1 and not isinstance(instances[0], dict):
        raise invalid(_PLAIN_INSTANCES)
    names = sorted(inputs)
    by_name = _is_object(instances[0])
    # Most requests are regular: read each input as one column, and look for the guilty element only if that fails.
    if by_name and all(_is_object(row) and row.keys() == inputs.keys() for row in instances):
        columns = {name: [row[name] for row in instances] for name in names}
    elif not by_name and not any(map(_is_object, instances)):
        columns = {names[0]: instances}
    else:
        return _explain_rows(instances, inputs, by_name)
    try:
        return {name: read_array(column, inputs[name].dtype) for name, column in columns.items()}
    except StatusError as error:
        _explain_rows(instances, inputs, by_name)
        raise error


def _explain_rows(instances: list[Any], inputs: Mapping[str, TensorSpec], by_name: bool) -> dict[str, Array]:
    """Raise for the first row that is wrong, with its number, in the order TF Serving checks."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number, row in enumerate(instances):
        if _is_object(row) != by_name:
            wanted, got = ("object", "list") if by_name else ("value/list", "object")
            raise invalid(f"Expecting {wanted} but got {got} at item {number} of input list")
        items = row if by_name else {min(inputs): row}
        for name, value in items.items():
            where = f"{number} key: {name}" if by_name else f"{number}"
            try:
                _check_item(name, value, inputs, shapes)
            except StatusError as error:
                raise invalid(
                    f"Failed to process element: {where} of 'instances' list. Error: {error.code.name}: {error.message}"
                ) from None
        if by_name and row.keys() != inputs.keys():
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: {shown(row)} "
                f"keys must be equal to: {','.join(sorted(inputs))}"
            )
    raise invalid("JSON Value: 'instances' cannot be read as tensors")


def _check_item(name: str, value: Any, inputs: Mapping[str, TensorSpec], shapes: dict[str, tuple[int, ...]]) -> None:
    if name not in inputs:
        raise invalid(f"JSON object: does not have named input: {name}")
    array = read_array(value, inputs[name].dtype)
    first = shapes.setdefault(name, array.shape)
    if int(np.prod(first)) != array.size:
        raise invalid(f"Expecting tensor size: {int(np.prod(first))} but got: {array.size}")
    if first != infer_shape(value):
        raise invalid(f"Expecting shape {_bracketed(first)} but got: {_bracketed(array.shape)}")


def _bracketed(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _read_columns(value: Any, inputs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    if not _is_object(value):
        if len(inputs) > 1:
            raise invalid(_PLAIN_INPUTS)
        name = next(iter(inputs))
        return {name: read_array(value, inputs[name].dtype)}
    arrays = {}
    for name, spec in sorted(inputs.items()):
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        arrays[name] = read_array(value[name], spec.dtype)
    return arrays


def write_outputs(outputs: Mapping[str, Array], form: Format) -> str:
    """The body of a predict answer. String outputs whose name ends in ``_bytes`` are base64. Raises StatusError."""
    if not outputs:
        raise invalid("Cannot convert empty tensor map to JSON")
    named = len(outputs) > 1
    if form is Format.COLUMNAR:
        if not named:
            ((name, array),) = outputs.items()
            return f'{{\n    "outputs": {_write(name, array)}\n}}'
        members = ",\n".join(f"        {json.dumps(name)}: {_write(name, array)}" for name, array in outputs.items())
        return f'{{\n    "outputs": {{\n{members}\n    }}\n}}'
    return join_rows(row_texts(outputs), named=named)


def row_texts(outputs: Mapping[str, Array]) -> list[str]:
    """Each row of an answer in row format, as JSON. Raises StatusError when the outputs have no rows in common."""
    _check_batch(outputs)
    rows = {name: write_rows(array, as_base64=_is_bytes(name)) for name, array in outputs.items()}
    if len(rows) == 1:
        return next(iter(rows.values()))
    keys = [json.dumps(name) for name in rows]
    return ["{" + ", ".join(map(": ".join, zip(keys, row, strict=True))) + "}" for row in zip(*rows.values(), strict=True)]


def join_rows(texts: Sequence[str], *, named: bool) -> str:
    """The body of an answer in row format; ``named``: each row is an object."""
    if named:
        return '{\n    "predictions": [\n        ' + ",\n        ".join(texts) + "\n    ]\n}"
    return '{\n    "predictions": [' + ", ".join(texts) + "\n    ]\n}"


def _write(name: str, array: Array) -> str:
    return write_array(array, as_base64=_is_bytes(name))


def _is_bytes(name: str) -> bool:
    return name.endswith("_bytes")


def _check_batch(outputs: Mapping[str, Array]) -> None:
    batch = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if batch is not None and len(array) != batch:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}")
        batch = len(array)


def build_request(inputs: Mapping[str, npt.ArrayLike], signature: SignatureSpec, signature_name: str | None = None) -> bytes:
    """The body of a columnar predict request. Raises ValueError for inputs that the signature does not have or cannot take."""
    if set(inputs) != set(signature.inputs):
        raise ValueError(f"signature {signature.name} takes {_listed(signature.inputs)}, got {_listed(inputs)}")
    document: dict[str, Any] = {} if signature_name is None else {"signature_name": signature_name}
    columns = {}
    for name, spec in signature.inputs.items():
        try:
            columns[name] = _jsonable(cast(inputs[name], spec.dtype), spec.dtype)
        except ValueError as error:
            raise ValueError(f"input {name}: {error}") from error
    document["inputs"] = columns
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _jsonable(array: Array, dtype: str) -> Any:
    if dtype == "string":
        flat = np.empty(array.size, dtype=object)
        flat[:] = [{"b64": base64.b64encode(item).decode("ascii")} for item in array.ravel().tolist()]
        return flat.reshape(array.shape).tolist()
    if BY_NAME[dtype].numpy.kind == "c" or dtype in ("float16", "bfloat16", "uint16"):
        raise ValueError(f"TF Serving's REST API takes no {dtype}; use gRPC")
    return array.tolist()


def read_outputs(document: Mapping[str, Any], signature: SignatureSpec) -> dict[str, Array]:
    """The arrays of a columnar answer, in the signature's element types. Raises ValueError when they do not fit it."""
    if "outputs" not in document:
        raise ValueError(f"answer without 'outputs': {shown(dict(document))}")
    value = document["outputs"]
    columns = value if len(signature.outputs) > 1 else {next(iter(signature.outputs)): value}
    if not isinstance(columns, dict) or set(columns) != set(signature.outputs):
        raise ValueError(f"answer has other outputs than {_listed(signature.outputs)}: {shown(value)}")
    try:
        return {name: read_array(columns[name], spec.dtype) for name, spec in signature.outputs.items()}
    except StatusError as error:
        raise ValueError(f"answer does not fit the signature: {error}") from error


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "nothing"
