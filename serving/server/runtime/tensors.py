"""Arrays to TF_Tensor and back.

Numbers are copied in one piece. A string is copied into a string of TensorFlow's own, because what keeps it (a table, a queue) may outlive
the request; TensorFlow calls back when it needs the strings no more.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np

from serving.protocol.dtypes import BY_NAME, BY_NUMBER, DType
from serving.protocol.status import Code, StatusError, invalid
from serving.server.runtime.library import Deallocator, Library

Array = np.ndarray[Any, Any]

_STRING = BY_NAME["string"].number
_STRING_BYTES = 24  # sizeof(TF_TString)
_NUMBERS = {kind.numpy: kind.number for kind in BY_NUMBER.values() if kind.number != _STRING}


class Tensors:
    """Makes and reads tensors with one library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._strings: dict[int, tuple[Any, int]] = {}
        self._shapes: dict[int, Any] = {rank: ctypes.c_int64 * rank for rank in range(9)}
        self._deallocator = Deallocator(self._free_strings)

    def make(self, array: Array) -> int:
        """A new tensor with the content of `array`; the caller deletes it. Raises StatusError."""
        library, shape = self._library, array.shape
        dims = self._shapes[len(shape)](*shape) if len(shape) < 9 else (ctypes.c_int64 * len(shape))(*shape)
        if array.dtype.kind == "O":
            return self._make_strings(array, dims, len(shape))
        number = _NUMBERS.get(array.dtype)
        if number is None:
            raise invalid(f"arrays of {array.dtype} have no tensor type")
        size = array.nbytes
        tensor = library.AllocateTensor(number, dims, len(shape), size)
        if not tensor:
            raise StatusError(Code.RESOURCE_EXHAUSTED, f"no memory for a tensor of shape {list(shape)}")
        if size:
            if not array.flags.c_contiguous:
                array = array.copy(order="C")
            ctypes.memmove(library.TensorData(tensor), array.__array_interface__["data"][0], size)
        return int(tensor)

    def _make_strings(self, array: Array, dims: Any, rank: int) -> int:
        memory = ctypes.create_string_buffer(max(1, array.size) * _STRING_BYTES)  # zeros: a row of empty strings
        start = ctypes.addressof(memory)
        copy = self._library.StringCopy
        where = start
        try:
            for item in array.ravel().tolist():
                copy(where, item, len(item))
                where += _STRING_BYTES
        except (TypeError, ctypes.ArgumentError) as error:
            while where > start:
                where -= _STRING_BYTES
                self._library.StringDealloc(where)
            raise invalid(f"a string tensor holds bytes, not {type(item).__name__}") from error
        self._strings[start] = (memory, array.size)
        tensor = self._library.NewTensor(_STRING, dims, rank, start, array.size * _STRING_BYTES, self._deallocator, None)
        return int(tensor)

    def _free_strings(self, data: int, _: int, __: int) -> None:
        held = self._strings.pop(data, None)
        if held is not None:
            for index in range(held[1]):
                self._library.StringDealloc(data + index * _STRING_BYTES)

    def read(self, tensor: int) -> Array:
        """The content of a tensor, which stays the caller's. Raises StatusError for an element type that has no array."""
        library = self._library
        number = library.TensorType(tensor)
        shape = tuple([library.Dim(tensor, axis) for axis in range(library.NumDims(tensor))])
        if number == _STRING:
            return self._read_strings(tensor, shape)
        kind = BY_NUMBER.get(number)
        if kind is None:
            raise StatusError(Code.UNIMPLEMENTED, f"tensors of type number {number} cannot be sent")
        array = np.empty(shape, dtype=_numpy(kind))
        if array.nbytes:
            ctypes.memmove(array.__array_interface__["data"][0], library.TensorData(tensor), array.nbytes)
        return array

    def _read_strings(self, tensor: int, shape: tuple[int, ...]) -> Array:
        library, count = self._library, math.prod(shape)
        where = library.TensorData(tensor) if count else 0
        flat = np.empty(count, dtype=object)
        for index in range(count):
            flat[index] = ctypes.string_at(library.StringGetDataPointer(where), library.StringGetSize(where))
            where += _STRING_BYTES
        return flat.reshape(shape)


_DTYPES: dict[int, np.dtype[Any]] = {}


def _numpy(kind: DType) -> np.dtype[Any]:
    dtype = _DTYPES.get(kind.number)
    if dtype is None:
        dtype = _DTYPES[kind.number] = kind.numpy
    return dtype
