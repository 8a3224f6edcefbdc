"""Whatever a caller has to an array of the element type that a model wants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from serving.protocol.dtypes import BY_NAME, DType

Array = np.ndarray[Any, Any]


def cast(value: npt.ArrayLike, dtype: str) -> Array:
    """`value` as an array of `dtype`; precision may be lost, meaning may not (no float to int, no wrapped integer)."""
    kind = BY_NAME[dtype]
    if kind.name == "string":
        # As objects: numpy's own bytes type drops zeros at the end.
        array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object)
        if array.size and array.dtype.kind not in "USO":
            raise ValueError(f"expected strings, got {array.dtype}")
        flat = np.empty(array.size, dtype=object)
        flat[:] = [as_bytes(item) for item in array.ravel().tolist()]
        return flat.reshape(array.shape)
    array = np.asarray(value)
    if array.dtype == kind.numpy:
        return array
    if array.size == 0 and array.dtype == np.float64:  # what numpy makes of []
        return array.astype(kind.numpy)
    plain_float = kind.name == "bfloat16" and array.dtype.kind in "iuf"
    if array.dtype.kind in "USO" or not (plain_float or _keeps_meaning(array, kind)):
        raise ValueError(f"expected {kind.name}, got {array.dtype}")
    with np.errstate(over="ignore"):
        result = array.astype(kind.numpy)
    if result.dtype.kind in "iu" and not np.array_equal(result, array):
        raise ValueError(f"a value does not fit {kind.name}")
    return result


def as_bytes(item: object) -> bytes:
    """One element of a string tensor. Raises ValueError for anything but str and bytes."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return item.encode("utf-8", "surrogateescape")
    raise ValueError(f"expected str or bytes, got {type(item).__name__}")


def _keeps_meaning(array: Array, kind: DType) -> bool:
    if array.dtype.kind in "iu" and kind.numpy.kind in "iu":
        return True  # the values decide, see the check after the cast
    return np.can_cast(array.dtype, kind.numpy, casting="same_kind") and (array.dtype.kind == "b") == (kind.name == "bool")
