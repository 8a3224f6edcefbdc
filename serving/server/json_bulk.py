"""Large requests of plain numbers, read without a Python object for each of them.

An image in JSON is a few hundred kilobytes of nested lists. simdjson checks and converts them in one go; that they are regular is told from
the brackets alone. Whatever is no such request, or wrong in any way, is left to the ordinary reader, which finds the words.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import simdjson

from serving.protocol.dtypes import BY_NAME
from serving.protocol.predict import Format
from serving.protocol.signature import SignatureSpec
from serving.server.servable import Array

# Below it Python's objects cost less than a second parser.
SMALLEST_BYTES = 4096
_NOT_STRUCTURE = bytes(set(range(256)) - set(b"[],"))
_LARGEST_RANK = 32
# How simdjson reads the numbers of an element type: as doubles, or as whole numbers, where a fraction is an error.
_READ_AS = {
    **dict.fromkeys(("float32", "float64"), ("d", np.float64)),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint32"), ("i", np.int64)),
    "uint64": ("u", np.uint64),
}
_local = threading.local()


class Bulk:
    """A predict request whose ``instances`` or ``inputs`` are nested lists; usable on the thread that read it, until it reads another."""

    def __init__(self, form: Format, signature_name: str, value: Any, body: bytes) -> None:
        self.form, self.signature_name = form, signature_name
        self._value, self._body = value, body

    def inputs(self, signature: SignatureSpec) -> tuple[Format, dict[str, Array]] | None:
        """What `predict.read_inputs` gives for it; None when it is no regular tensor of the signature's only input."""
        if len(signature.inputs) != 1:
            return None
        ((name, spec),) = signature.inputs.items()
        array = self._array(spec.dtype)
        return None if array is None else (self.form, {name: array})

    def _array(self, dtype: str) -> Array | None:
        shape = _shape(self._value)
        if dtype not in _READ_AS or len(shape) > _LARGEST_RANK or 0 in shape or not self._regular(shape):
            return None
        code, kind = _READ_AS[dtype]
        try:
            flat = np.frombuffer(self._value.as_buffer(of_type=code), dtype=kind)
        except (TypeError, ValueError):  # something else than such numbers is among them
            return None
        if flat.size != math.prod(shape):
            return None
        wanted = BY_NAME[dtype].numpy
        if wanted.kind in "iu" and not _fits(flat, wanted):
            return None
        with np.errstate(over="ignore"):
            return flat.astype(wanted).reshape(shape)  # always a copy: the buffer is the parser's

    def _regular(self, shape: tuple[int, ...]) -> bool:
        """Are the brackets and commas of the whole request those of one tensor of this shape, with at most a name beside it?"""
        expected = b"," * (shape[-1] - 1)
        for size in reversed(shape[:-1]):
            expected = b",".join([b"[" + expected + b"]"] * size)
        expected = b"[" + expected + b"]"
        found = self._body.translate(None, _NOT_STRUCTURE)
        return found in ((expected,) if not self.signature_name else (b"," + expected, expected + b","))


def read(body: bytes) -> Bulk | None:
    """The request if it is large and may be one of plain numbers; else None."""
    if len(body) < SMALLEST_BYTES:
        return None
    parser = getattr(_local, "parser", None)
    try:
        if parser is None:
            parser = _local.parser = simdjson.Parser()
        document = parser.parse(body)
        if not isinstance(document, simdjson.Object) or set(document.keys()) - {"signature_name", "instances", "inputs"}:
            return None
        name = document.get("signature_name") or ""
        rows, columns = document.get("instances"), document.get("inputs")
    except (ValueError, RuntimeError, UnicodeDecodeError):
        _local.parser = None  # it refuses to read again while a value of its last document is held
        return None
    value = columns if rows is None else rows
    if not isinstance(name, str) or (rows is not None and columns is not None) or not isinstance(value, simdjson.Array):
        return None
    return Bulk(Format.COLUMNAR if rows is None else Format.ROW, name, value, body)


def _shape(value: Any) -> tuple[int, ...]:
    sizes = []
    while isinstance(value, simdjson.Array):
        sizes.append(len(value))
        if not sizes[-1]:
            break
        value = value[0]
    return tuple(sizes)


def _fits(flat: Array, wanted: np.dtype[Any]) -> bool:
    limits = np.iinfo(wanted)
    return bool(int(flat.min()) >= limits.min and int(flat.max()) <= limits.max)
