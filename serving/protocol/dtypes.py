"""The element types a tensor may have: our name, TensorFlow's name and number, the numpy type, the typed field on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class DType:
    """One element type. ``name`` is numpy's word for it, ``tf_name`` the word TensorFlow's messages use."""

    name: str
    number: int
    tf_name: str
    field: str
    kind: type[Any]

    @property
    def numpy(self) -> np.dtype[Any]:
        """The array type. bfloat16 is float32 where ml_dtypes is not installed: every bfloat16 value is a float32 value."""
        if self.name != "bfloat16":
            return np.dtype(self.kind)
        try:
            import ml_dtypes  # comes with TensorFlow; a plain client does without
        except ImportError:
            return np.dtype(np.float32)
        return np.dtype(ml_dtypes.bfloat16)


_ALL = (
    DType("float32", 1, "float", "float_val", np.float32),
    DType("float64", 2, "double", "double_val", np.float64),
    DType("int32", 3, "int32", "int_val", np.int32),
    DType("uint8", 4, "uint8", "int_val", np.uint8),
    DType("int16", 5, "int16", "int_val", np.int16),
    DType("int8", 6, "int8", "int_val", np.int8),
    DType("string", 7, "string", "string_val", np.object_),
    DType("complex64", 8, "complex64", "scomplex_val", np.complex64),
    DType("int64", 9, "int64", "int64_val", np.int64),
    DType("bool", 10, "bool", "bool_val", np.bool_),
    DType("bfloat16", 14, "bfloat16", "half_val", np.float32),
    DType("uint16", 17, "uint16", "int_val", np.uint16),
    DType("complex128", 18, "complex128", "dcomplex_val", np.complex128),
    DType("float16", 19, "half", "half_val", np.float16),
    DType("uint32", 22, "uint32", "uint32_val", np.uint32),
    DType("uint64", 23, "uint64", "uint64_val", np.uint64),
)
BY_NAME = {dtype.name: dtype for dtype in _ALL}
BY_NUMBER = {dtype.number: dtype for dtype in _ALL}
# The proto's enum names, which the metadata JSON prints.
ENUM_NAMES = {dtype.number: f"DT_{dtype.tf_name.upper()}" for dtype in _ALL} | {0: "DT_INVALID"}


def of_array(array: np.ndarray[Any, Any]) -> DType:
    """The element type of an array. Text and objects are strings. Raises ValueError for a type that no tensor has."""
    if array.dtype.kind in "USO":
        return BY_NAME["string"]
    try:
        return BY_NAME[array.dtype.name]
    except KeyError:
        raise ValueError(f"arrays of {array.dtype} have no tensor type; allowed: {', '.join(BY_NAME)}") from None
