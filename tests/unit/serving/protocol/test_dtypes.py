"""Element types."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol.dtypes import BY_NAME, of_array


def test_an_array_of_each_type_is_recognised():
    for name, dtype in BY_NAME.items():
        assert of_array(np.zeros(1, dtype=dtype.numpy)).name == name


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([b"a"]), np.array([b"a"], object)])
def test_text_bytes_and_objects_are_strings(array):
    assert of_array(array).name == "string"


def test_a_type_without_a_tensor_type_is_refused():
    with pytest.raises(ValueError, match="datetime64"):
        of_array(np.array(["2026-01-01"], dtype="datetime64[D]"))
