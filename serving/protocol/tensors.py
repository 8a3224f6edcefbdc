"""Arrays to TensorProto and back, without TensorFlow.

Typed fields (``float_val``, ...) are written by default, as the C++ server does: clients exist that read nothing else.
Both typed fields and ``tensor_content`` are read.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.protocol import wire_pb2 as wire
from serving.protocol.casting import cast
from serving.protocol.dtypes import BY_NAME, BY_NUMBER, DType, of_array

Array = np.ndarray[Any, Any]

# One value may stand for a whole tensor; without a bound, a few bytes could ask for all memory. No message is larger than this.
_LARGEST_BYTES = 2**31 - 1
# A few bytes that ask for gigabytes are no honest request. TF Serving fills in what memory holds.
_LARGEST_FILLED_BYTES = 64 * 2**20
_LENGTH_DELIMITED = 2


def to_proto(value: npt.ArrayLike, dtype: str | None = None, *, as_content: bool = False) -> wire.TensorProto:
    """The message that carries `value`, as `dtype` if given (see `serving.protocol.casting`). Raises ValueError.

    Strings are never written as content: Python's own reader cannot take them from there.
    """
    kind = of_array(np.asarray(value)) if dtype is None else BY_NAME[dtype]
    proto = wire.TensorProto()
    _write(proto, kind, cast(value, kind.name), as_content and kind.name != "string")
    return proto


def write_proto(proto: wire.TensorProto, array: Array, *, as_content: bool = False) -> None:
    """Fill an empty message with an array as a runtime gives it: strings are objects of type bytes, nothing is cast.

    With `as_content` strings are content as well, as TF Serving writes them. Raises ValueError for a type that no tensor has.
    """
    _write(proto, _kind_of(array.dtype), array, as_content)


@functools.lru_cache(maxsize=64)
def _kind_of(dtype: np.dtype[Any]) -> DType:
    """An element type by numpy's; remembered, because numpy makes up the name of a type each time it is asked."""
    return of_array(np.empty(0, dtype))


def _write(proto: wire.TensorProto, kind: DType, array: Array, as_content: bool) -> None:
    proto.dtype = wire.DataType.ValueType(kind.number)
    proto.tensor_shape.SetInParent()  # a scalar has a shape, too: the empty one
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if not as_content:
        _write_typed(proto, kind, array)
    elif kind.name == "string":
        strings = array.ravel().tolist()
        proto.tensor_content = b"".join([*(_varint(len(item)) for item in strings), *strings])
    else:
        raw = _bfloat16_bits(array) if kind.name == "bfloat16" else array
        proto.tensor_content = raw.astype(raw.dtype.newbyteorder("<"), copy=False).tobytes()


def to_array(proto: wire.TensorProto) -> Array:
    """The array in `proto`; strings are objects of type bytes. Raises ValueError when the message contradicts itself."""
    kind = BY_NUMBER.get(proto.dtype)
    if kind is None:
        raise ValueError(f"tensors of type number {proto.dtype} are not supported")
    if proto.tensor_shape.unknown_rank:
        raise ValueError("a tensor needs a shape")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if any(size < 0 for size in shape):
        raise ValueError(f"shape {list(shape)} has a negative size")
    count = math.prod(shape)
    if count * kind.numpy.itemsize > _LARGEST_BYTES:
        raise ValueError(f"shape {list(shape)} is larger than a message can carry")
    if proto.tensor_content:
        return _read_content(kind, proto.tensor_content, count).reshape(shape)
    return _fill(_read_typed(kind, proto, count), kind, count).reshape(shape)


def _write_typed(proto: wire.TensorProto, kind: DType, array: Array) -> None:
    if array.size == 0:
        return
    if kind.name == "string":
        proto.string_val.extend(array.ravel().tolist())
        return
    if kind.field in ("float_val", "double_val", "scomplex_val", "dcomplex_val", "bool_val"):
        # A packed field of fixed-width numbers is its own little-endian memory (a bool is a one-byte varint): no loop needed.
        raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        number = wire.TensorProto.DESCRIPTOR.fields_by_name[kind.field].number
        proto.MergeFromString(bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(raw)) + raw)
        return
    if kind.name == "float16":
        array = array.view(np.uint16) if array.flags.c_contiguous else np.ascontiguousarray(array).view(np.uint16)
    elif kind.name == "bfloat16":
        array = _bfloat16_bits(array)
    getattr(proto, kind.field).extend(array.ravel().tolist())


def _bfloat16_bits(array: Array) -> Array:
    """The upper halves of float32, rounded to nearest even."""
    if array.dtype.itemsize == 2:
        return np.ascontiguousarray(array).view(np.uint16)
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(array), np.uint16(0x7FC0), rounded)


def _from_half_bits(bits: Array, kind: DType) -> Array:
    if kind.name == "float16":
        return bits.view(np.float16)
    if kind.numpy.itemsize == 2:
        return bits.view(kind.numpy)
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _read_typed(kind: DType, proto: wire.TensorProto, count: int) -> Array:
    field = getattr(proto, kind.field)
    if kind.name == "string":
        strings = np.empty(min(len(field), count), dtype=object)
        strings[:] = list(field[:count])
        return strings
    if kind.field == "half_val":
        return _from_half_bits(np.fromiter(field, dtype=np.int32, count=len(field)).astype(np.uint16), kind)[:count]
    if kind.name == "complex64":
        return np.fromiter(field, dtype=np.float32, count=len(field) // 2 * 2).view(np.complex64)[:count]
    if kind.name == "complex128":
        return np.fromiter(field, dtype=np.float64, count=len(field) // 2 * 2).view(np.complex128)[:count]
    if kind.field == "int_val" and kind.name != "int32":
        return np.fromiter(field, dtype=np.int32, count=len(field)).astype(kind.numpy)[:count]  # C++ narrows the same way
    return np.fromiter(field, dtype=kind.numpy, count=len(field))[:count]


def _fill(flat: Array, kind: DType, count: int) -> Array:
    """The last value stands for all that are missing; no value at all means zeros (empty strings)."""
    if flat.size >= count:
        return flat
    if count * kind.numpy.itemsize > _LARGEST_FILLED_BYTES:
        raise ValueError(f"{flat.size} values are given for {count}, and so many are not filled in")
    filler = flat[-1] if flat.size else b"" if kind.name == "string" else kind.numpy.type(0)
    full = np.empty(count, dtype=kind.numpy)
    full[: flat.size] = flat
    full[flat.size :] = filler
    return full


def _read_content(kind: DType, content: bytes, count: int) -> Array:
    if kind.name == "string":
        return _read_string_content(content, count)
    width = 2 if kind.name == "bfloat16" else kind.numpy.itemsize
    if len(content) != count * width:
        raise ValueError(f"tensor_content holds {len(content)} bytes, {count * width} expected")
    if kind.name == "bfloat16":
        return _from_half_bits(np.frombuffer(content, dtype="<u2").copy(), kind)
    return np.frombuffer(content, dtype=kind.numpy.newbyteorder("<")).astype(kind.numpy)


def _read_string_content(content: bytes, count: int) -> Array:
    """TensorFlow's string list: all lengths as varints, then all bytes."""
    lengths, position = [], 0
    for _ in range(count):
        length, position = _read_varint(content, position)
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise ValueError("tensor_content does not hold the strings it announces")
    strings = np.empty(count, dtype=object)
    for index, length in enumerate(lengths):
        strings[index] = content[position : position + length]
        position += length
    return strings


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(content) and shift < 64:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("tensor_content ends inside a length")
