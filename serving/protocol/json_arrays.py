"""JSON values to arrays and back: which JSON types an element type takes, how shapes are inferred, how numbers are printed."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from itertools import chain
from typing import Any

import numpy as np

from serving.protocol.dtypes import BY_NAME, of_array
from serving.protocol.json_text import shown, type_name
from serving.protocol.status import Code, StatusError, invalid

Array = np.ndarray[Any, Any]

_FLOATS = ("float32", "float64")
# The range TF Serving checks: narrow types share int32's parser. We also refuse what the tensor itself cannot hold.
_INTEGERS = ("int8", "int16", "int32", "uint8", "int64", "uint32", "uint64")
_READABLE = (*_FLOATS, *_INTEGERS, "bool", "string")
_WRITABLE = (*_READABLE, "uint16")
_LARGEST_RANK = 32  # numpy's; TensorFlow's is 254
_SIGNIFICANT_DIGITS = {"float32": 9, "float64": 17}
_FLOAT32 = struct.Struct("<f")
_FEW = 32
_SAFE = 3e38  # below it no float32 overflows
_NUMBERS = frozenset((float, int))
# Looked up for every column of every request: numpy takes a microsecond for each of these.
_NUMPY = {name: BY_NAME[name].numpy for name in _READABLE}
_LIMITS = {name: (int(np.iinfo(name).min), int(np.iinfo(name).max)) for name in _INTEGERS}


def is_base64(value: Any) -> bool:
    """Is this ``{"b64": "..."}``, the JSON form of bytes?"""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def decode_base64(value: dict[str, str]) -> bytes:
    """The bytes of ``{"b64": "..."}``, padded or not, white space ignored. Raises StatusError."""
    text = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def read_array(value: Any, dtype: str) -> Array:
    """The array that a JSON value spells. Its shape is that of the first element at each level. Raises StatusError."""
    if type(value) is list and value and type(value[0]) is not list and _all_convertible(value, dtype):
        return _build(value, dtype)  # one row, or one column of rows: most requests consist of these
    shape = infer_shape(value)
    if len(shape) > _LARGEST_RANK:
        raise invalid(f"Tensors of more than {_LARGEST_RANK} dimensions are not supported")
    leaves = _flatten(value, shape)
    if leaves is None or not _all_convertible(leaves, dtype):
        _explain(value, shape, 0, dtype)
        raise invalid(f"JSON Value: {shown(value)} is not a tensor of type: {_tf_name(dtype)}")
    return _build(leaves, dtype).reshape(shape)


def infer_shape(value: Any) -> tuple[int, ...]:
    """The shape that the first element at each level gives."""
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(sizes)


def _flatten(value: Any, shape: tuple[int, ...]) -> list[Any] | None:
    """All leaves in order, or None when the lists are ragged. Works level by level, so the interpreter's loops stay in C."""
    level = [value]
    for size in shape:
        if set(map(type, level)) - {list} or set(map(len, level)) - {size}:
            return None
        level = list(chain.from_iterable(level))
    return level


def _all_convertible(leaves: list[Any], dtype: str) -> bool:
    types = set(map(type, leaves))
    if dtype in _FLOATS:
        return types <= _NUMBERS
    if dtype in _INTEGERS:
        least, most = _LIMITS[dtype]
        return types <= {int} and (not leaves or (min(leaves) >= least and max(leaves) <= most))
    if dtype == "bool":
        return types <= {bool}
    if dtype == "string":
        return types <= {str} or all(isinstance(leaf, str) or is_base64(leaf) for leaf in leaves)
    return not leaves and dtype in BY_NAME


def _build(leaves: list[Any], dtype: str) -> Array:
    if dtype == "string":
        array = np.empty(len(leaves), dtype=np.object_)
        array[:] = [decode_base64(leaf) if isinstance(leaf, dict) else _encode(leaf) for leaf in leaves]
        return array
    kind = _NUMPY.get(dtype) or BY_NAME[dtype].numpy
    try:
        if dtype != "float32" or (len(leaves) <= _FEW and all(-_SAFE < leaf < _SAFE for leaf in leaves)):
            return np.array(leaves, dtype=kind)
        with np.errstate(over="ignore"):
            return np.array(leaves, dtype=kind)
    except OverflowError:  # an integer token beyond float64
        raise invalid("JSON Parse error: Number too big to be stored in double. at offset: 0") from None


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid. at offset: 0") from None


def _explain(value: Any, shape: tuple[int, ...], level: int, dtype: str) -> None:
    """Raise for the first element that does not fit, in document order."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        return _explain_leaf(value, dtype)
    if level >= len(shape):
        raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise invalid(f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}")
    for item in value:
        _explain(item, shape, level + 1, dtype)
    return None


def _explain_leaf(value: Any, dtype: str) -> None:
    if isinstance(value, dict) and dtype == "string":
        if not is_base64(value):
            raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
        decode_base64(value)
        return
    tf_name = _tf_name(dtype)
    if dtype not in _READABLE and not isinstance(value, dict):
        raise StatusError(Code.UNIMPLEMENTED, f"Conversion of JSON Value: {shown(value)} to type: {tf_name}")
    if not _all_convertible([value], dtype):
        raise invalid(f"JSON Value: {shown(value)} Type: {type_name(value)} is not of expected type: {tf_name}")


def _tf_name(dtype: str) -> str:
    return BY_NAME[dtype].tf_name if dtype in BY_NAME else dtype


def write_array(array: Array, *, as_base64: bool = False) -> str:
    """An array as JSON text on one line. Raises StatusError for element types that the REST API cannot print."""
    if 0 in array.shape:  # no leaf can tell how many empty lists there are
        return json.dumps(np.empty(array.shape).tolist())
    return _nest(_leaves(array, as_base64), array.shape)[0]


def write_rows(array: Array, *, as_base64: bool = False) -> list[str]:
    """The JSON text of each element along the first dimension."""
    if 0 in array.shape:
        return [json.dumps(row) for row in np.empty(array.shape).tolist()]
    return _nest(_leaves(array, as_base64), array.shape[1:])


def _leaves(array: Array, as_base64: bool) -> list[str]:
    kind = of_array(array)
    if kind.name not in _WRITABLE:
        raise invalid(f"Failed to write JSON value for tensor type: {kind.tf_name}")
    if kind.name in _FLOATS:
        return print_floats(array)
    if kind.name == "string":
        return [_print_bytes(item, as_base64) for item in array.ravel().tolist()]
    if kind.name == "bool":
        return ["true" if item else "false" for item in array.ravel().tolist()]
    return list(map(str, array.ravel().tolist()))


def print_floats(array: Array) -> list[str]:
    """Each number in six digits where that is exact, else in as many as the type needs; always recognisably a float."""
    flat = array.ravel()
    digits = _SIGNIFICANT_DIGITS[array.dtype.name]
    values = flat.tolist()
    if array.dtype == np.float32 and len(values) <= _FEW:
        return [_print_float32(value) for value in values]
    texts = [f"{value:g}" for value in values]
    with np.errstate(over="ignore"):
        exact = np.array(texts, dtype=np.float64).astype(array.dtype) == flat
    return [_as_float(text if short else f"{value:.{digits}g}") for text, short, value in zip(texts, exact.tolist(), values, strict=True)]


def _print_float32(value: float) -> str:
    """The same for one number: numpy's arrays cost more than they save on a few."""
    text = f"{value:g}"
    try:
        exact = _FLOAT32.pack(float(text)) == _FLOAT32.pack(value)
    except OverflowError:  # the largest numbers, rounded up
        exact = False
    return _as_float(text if exact else f"{value:.9g}")


def _as_float(text: str) -> str:
    if text[-1] in "nf":  # nan, inf, -inf
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
    return text if "." in text or "e" in text else text + ".0"


def _print_bytes(item: bytes | str, as_base64: bool) -> str:
    raw = item if isinstance(item, bytes) else item.encode("utf-8", "surrogateescape")
    if as_base64:
        return '{"b64": "' + base64.b64encode(raw).decode("ascii") + '"}'
    return json.dumps(raw.decode("utf-8", "surrogateescape"), ensure_ascii=False)


def _nest(leaves: list[str], shape: tuple[int, ...]) -> list[str]:
    for size in reversed(shape):
        leaves = ["[" + ", ".join(leaves[at : at + size]) + "]" for at in range(0, len(leaves), size)]
    return leaves
