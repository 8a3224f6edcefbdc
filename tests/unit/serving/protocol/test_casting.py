"""Precision may be lost, meaning may not."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol.casting import cast


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([1, 2], "float32", np.float32([1, 2])),
        ([1.5], "float32", np.float32([1.5])),
        ([1, 2], "int32", np.int32([1, 2])),
        (np.int64([7]), "uint8", np.uint8([7])),
        ([], "int64", np.int64([])),
        (["a", b"\xff"], "string", [b"a", b"\xff"]),
        ("é", "string", "é".encode()),
        ([True], "bool", np.array([True])),
        (1e300, "float32", np.float32("inf")),
    ],
)
def test_values_that_fit_are_taken(value, dtype, expected):
    assert cast(value, dtype).tolist() == (expected.tolist() if isinstance(expected, np.ndarray | np.generic) else expected)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1.5], "int32"),
        ([300], "uint8"),
        ([-1], "uint64"),
        ([True], "float32"),
        ([1], "bool"),
        (["1"], "float32"),
        ([1], "string"),
        ([None], "string"),
    ],
)
def test_values_that_would_change_are_refused(value, dtype):
    with pytest.raises(ValueError, match=r"expected|does not fit"):
        cast(value, dtype)
