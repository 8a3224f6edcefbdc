"""Arrays to JSON and back, and what is refused on the way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.protocol.json_arrays import print_floats, read_array, write_array
from serving.protocol.status import Code, StatusError

NUMERIC = ["float32", "float64", "int8", "int16", "int32", "uint8", "int64", "uint32", "uint64", "bool"]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)


@given(st.data(), st.sampled_from(NUMERIC))
def test_every_array_survives_json(data, dtype):
    array = data.draw(hnp.arrays(np.dtype(dtype), SHAPES))
    back = read_array(json.loads(write_array(array)), dtype)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(hnp.arrays(object, SHAPES, elements=st.binary(max_size=5), fill=st.nothing()), st.booleans())
def test_every_string_array_survives_json(array, as_base64):
    back = read_array(json.loads(write_array(array, as_base64=as_base64)), "string")
    assert back.tolist() == array.tolist()


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.1, "float32", "0.1"),
        (2, "float32", "2.0"),
        (1e6, "float32", "1e+06"),
        (123456789, "float32", "123456792.0"),
        (1 / 3, "float32", "0.333333343"),
        (1 / 3, "float64", "0.33333333333333331"),
        (float("nan"), "float32", "NaN"),
        (float("-inf"), "float64", "-Infinity"),
    ],
)
def test_floats_are_printed_like_upstream(value, dtype, text):
    assert print_floats(np.array([value], dtype=dtype)) == [text]


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        ("a", "float32", 'JSON Value: "a" Type: String is not of expected type: float'),
        (None, "float32", "JSON Value: null Type: Null is not of expected type: float"),
        ([1, True], "float64", "JSON Value: true Type: True is not of expected type: double"),
        ([1.0], "int64", "JSON Value: 1.0 Type: Number is not of expected type: int64"),
        (2**31, "int32", "JSON Value: 2147483648 Type: Number is not of expected type: int32"),
        (1, "bool", "JSON Value: 1 Type: Number is not of expected type: bool"),
        ({"a": 1}, "float32", 'JSON Value: {"a":1} Type: Object is not of expected type: float'),
        ({"b64": 1}, "string", 'JSON Value: {"b64":1} not formatted correctly for base64 data'),
        ({"b64": "*"}, "string", "Unable to base64 decode"),
        ([[1], 2], "float32", "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ([1, [2]], "float32", "Encountered list at unexpected level: 1 expected < 1"),
        ([[1], [1, 2]], "float32", "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
    ],
)
def test_the_first_wrong_element_is_named(value, dtype, message):
    with pytest.raises(StatusError) as caught:
        read_array(value, dtype)
    assert (caught.value.code, caught.value.message) == (Code.INVALID_ARGUMENT, message)


def test_half_cannot_be_read():
    with pytest.raises(StatusError) as caught:
        read_array([1], "float16")
    assert (caught.value.code, caught.value.message) == (Code.UNIMPLEMENTED, "Conversion of JSON Value: 1 to type: half")


@pytest.mark.parametrize("value", [[], {}, [{}], [[], []], 1, ["a"], [[1], [2, 3]]])
def test_a_type_that_is_not_known_is_an_error_of_the_request(value):
    with pytest.raises(StatusError):
        read_array(value, "float8")


def test_half_cannot_be_written():
    with pytest.raises(StatusError, match="Failed to write JSON value for tensor type: half"):
        write_array(np.float16([1]))


def test_too_many_dimensions_are_refused():
    value: object = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(StatusError, match="dimensions"):
        read_array(value, "float32")
