"""Does a request fit the model? Found out from its signature alone, before it costs a call, and told with the field's name. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from serving.protocol import predict
from serving.protocol.dtypes import BY_NAME
from serving.protocol.json_arrays import Array, infer_shape, is_base64, read_array
from serving.protocol.json_text import shown, type_name
from serving.protocol.predict import Format
from serving.protocol.signature import CLASSIFY_METHOD, DEFAULT_SIGNATURE, PREDICT_METHOD, REGRESS_METHOD, SignatureSpec, TensorSpec
from serving.protocol.status import StatusError

_TOLD = 10
_METHODS = {"classify": CLASSIFY_METHOD, "regress": REGRESS_METHOD}
_TAKES = {
    **dict.fromkeys(("float32", "float64"), "numbers"),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"), "whole numbers"),
    "bool": "true or false",
    "string": 'texts, or bytes as {"b64": ...}',
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field. ``field`` is the way to it, as in ``instances[3].fare``; "" for the whole body."""

    field: str
    problem: str


class Unfit(Exception):
    """The request does not fit the model."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        first = self.problems[0]
        super().__init__(f"{first.field}: {first.problem}" if first.field else first.problem)


def find_signature(signatures: Mapping[str, SignatureSpec], asked: str, verb: str) -> SignatureSpec:
    """The signature that a request is for: the one it names, or the usual one of the verb.

    Without a name, classify and regress take ``serving_default`` if it is of that method, else the model's only signature that is, else
    ``serving_default`` where it can: TensorFlow 2 exports it as one that predicts.

    Raises:
        Unfit: there is none.
    """
    able = {name: spec for name, spec in signatures.items() if _can(spec, verb)}
    own = {name: spec for name, spec in able.items() if spec.method_name == _METHODS.get(verb, spec.method_name)}
    listed = ", ".join(sorted(own)) or "none"
    if asked:
        if asked not in signatures:
            raise Unfit([Problem("signature_name", f"the model has no signature {asked!r}; for {verb} it has: {listed}")])
        if asked not in able:
            raise Unfit([Problem("signature_name", f"{asked!r} cannot {verb}; for that the model has: {listed}")])
        return able[asked]
    if DEFAULT_SIGNATURE not in own and len(meant := own or able) == 1:
        return next(iter(meant.values()))
    if DEFAULT_SIGNATURE in able:
        return able[DEFAULT_SIGNATURE]
    raise Unfit([Problem("signature_name", f"give one; for {verb} the model has: {listed}" if own else f"the model has none for {verb}")])


def _can(spec: SignatureSpec, verb: str) -> bool:
    """TensorFlow 2 exports every signature as one that predicts, so what is asked with examples is told by its input."""
    if verb not in _METHODS or spec.method_name == _METHODS[verb]:
        return True
    return spec.method_name == PREDICT_METHOD and [tensor.dtype for tensor in spec.inputs.values()] == ["string"]


def read_inputs(document: Mapping[str, Any], spec: SignatureSpec, most: int) -> tuple[Format, dict[str, Array]]:
    """The tensors of a predict request.

    Args:
        most: how many rows it may have.

    Raises:
        Unfit: a field is missing, unknown, of another type or of another shape.
    """
    strange = [Problem("signature_name", f"{spec.name} takes {told}") for told in _unspeakable(spec)]
    if strange:
        raise Unfit(strange)
    rows = document.get("instances")
    if rows is not None and "inputs" not in document and (told := _rows_fault(rows, most)) is not None:
        raise Unfit([Problem("instances", told)])
    try:
        form, arrays = predict.read_inputs(document, spec, spec.name)
    except StatusError as error:
        raise Unfit(_explained(document, spec) or [Problem("", error.message)]) from error
    key = "instances" if form is Format.ROW else "inputs"
    problems = [
        Problem(f"{key}.{name}" if form is Format.COLUMNAR else f"{key}[*].{name}", told)
        for name, array in arrays.items()
        if (told := _misshapen(array.shape, spec.inputs[name])) is not None
    ]
    if problems:
        raise Unfit(problems)
    if form is Format.COLUMNAR and (longest := max((len(array) for array in arrays.values() if array.ndim), default=0)) > most:
        raise Unfit([Problem("inputs", f"{longest} rows; at most {most} at once")])
    return form, arrays


def _unspeakable(spec: SignatureSpec) -> list[str]:
    return [f"{name} of {tensor.dtype}, which no request can hold" for name, tensor in spec.inputs.items() if tensor.dtype not in BY_NAME]


def _rows_fault(rows: Any, most: int) -> str | None:
    if not isinstance(rows, list):
        return f"expected a list, found {_json_type(rows)}"
    if not rows:
        return "give at least one row"
    return f"{len(rows)} rows; at most {most} at once" if len(rows) > most else None


def _misshapen(shape: tuple[int, ...], spec: TensorSpec) -> str | None:
    if spec.shape is None or _alike([size for size in shape if size != 1], [size for size in spec.shape if size != 1]):
        return None
    return f"has the shape {_shape(shape)}; the model takes {_shape(spec.shape)}"


def _alike(given: Sequence[int], wanted: Sequence[int | None]) -> bool:
    """Whether sizes without those of one are the same; any size may be one.

    A model server's runtime does not hold a shape against the signature, and clients rely on it: ``[1.0, 2.0]`` for ``[any, 1]``.
    """
    if not wanted:
        return not given
    if given and wanted[0] in (None, given[0]) and _alike(given[1:], wanted[1:]):
        return True
    return wanted[0] is None and _alike(given, wanted[1:])


def _shape(sizes: Sequence[int | None]) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in sizes) + "]"


def _explained(document: Mapping[str, Any], spec: SignatureSpec) -> list[Problem]:
    """Which fields are wrong; none where it is not a field that is."""
    if isinstance(document.get("instances"), list) and "inputs" not in document:
        found: list[Problem] = []
        for number, row in enumerate(document["instances"]):
            found += _fields(row, spec, f"instances[{number}]", of_row=True)
            if len(found) >= _TOLD:
                break
        return found[:_TOLD]
    if "inputs" in document and "instances" not in document:
        return _fields(document["inputs"], spec, "inputs", of_row=False)[:_TOLD]
    return []


def _fields(value: Any, spec: SignatureSpec, place: str, *, of_row: bool) -> list[Problem]:
    if not isinstance(value, dict) or is_base64(value):
        if len(spec.inputs) != 1:
            return [Problem(place, f"expected an object with {', '.join(sorted(spec.inputs))}, found {_json_type(value)}")]
        ((name, tensor),) = spec.inputs.items()
        return _value(value, tensor, place, of_row=of_row)
    told = f"unknown; the model takes: {', '.join(sorted(spec.inputs))}"
    found = [Problem(f"{place}.{name}", told) for name in islice((name for name in value if name not in spec.inputs), _TOLD)]
    for name, tensor in sorted(spec.inputs.items()):
        if name not in value:
            found.append(Problem(f"{place}.{name}", f"missing; the model takes {_takes(tensor)}"))
        else:
            found += _value(value[name], tensor, f"{place}.{name}", of_row=of_row)
    return found


def _value(value: Any, tensor: TensorSpec, place: str, *, of_row: bool) -> list[Problem]:
    try:
        read_array(value, tensor.dtype)
    except StatusError:
        return [Problem(place, f"{shown(value)[:80]} does not fit; the model takes {_takes(tensor)}")]
    wanted = tensor.shape[1:] if of_row and tensor.shape else tensor.shape
    told = _misshapen(infer_shape(value), TensorSpec(tensor.dtype, wanted)) if wanted is not None else None
    return [Problem(place, told)] if told else []


def _takes(tensor: TensorSpec) -> str:
    return _TAKES.get(tensor.dtype, tensor.dtype)


def _json_type(value: Any) -> str:
    return {"Array": "a list", "Object": "an object", "String": "a text", "Number": "a number", "Null": "null"}.get(
        type_name(value), "a value"
    )
