"""Bodies of the predict call."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.protocol.json_text import parse_object
from serving.protocol.predict import Format, build_request, read_inputs, read_outputs, read_signature_name, write_outputs
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import StatusError

ONE = SignatureSpec("one", "", {"x": TensorSpec("float32")}, {"y": TensorSpec("float32")})
TWO = SignatureSpec(
    "two", "", {"b": TensorSpec("string"), "a": TensorSpec("float32")}, {"y": TensorSpec("float32"), "z_bytes": TensorSpec("string")}
)


def read(body: str, signature: SignatureSpec) -> tuple[Format, dict[str, object]]:
    form, arrays = read_inputs(parse_object(body.encode()), signature)
    return form, {name: array.tolist() for name, array in arrays.items()}


@pytest.mark.parametrize(
    ("body", "signature", "form", "arrays"),
    [
        ('{"instances": [1, 2]}', ONE, Format.ROW, {"x": [1, 2]}),
        ('{"instances": [[1], [2]]}', ONE, Format.ROW, {"x": [[1], [2]]}),
        ('{"instances": [{"x": 1}]}', ONE, Format.ROW, {"x": [1]}),
        ('{"inputs": 3}', ONE, Format.COLUMNAR, {"x": 3}),
        ('{"inputs": {"x": [3], "extra": 1}}', ONE, Format.COLUMNAR, {"x": [3]}),
        ('{"instances": [{"a": 1, "b": {"b64": "AP8="}}, {"b": "t", "a": 2}]}', TWO, Format.ROW, {"a": [1, 2], "b": [b"\x00\xff", b"t"]}),
        ('{"inputs": {"a": [1], "b": ["s"]}, "other": 1}', TWO, Format.COLUMNAR, {"a": [1], "b": [b"s"]}),
    ],
)
def test_requests_are_read(body, signature, form, arrays):
    assert read(body, signature) == (form, arrays)


@pytest.mark.parametrize(
    ("body", "signature", "message"),
    [
        ("{}", ONE, "Missing 'inputs' or 'instances' key"),
        (
            '{"inputs":1,"instances":[1]}',
            ONE,
            'JSON Value: {"inputs":1,"instances":[1]} '
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
        ),
        ('{"instances":1}', ONE, "JSON Value: {\"instances\":1} Expecting 'instances' to be an list/array"),
        ('{"instances":[]}', ONE, "JSON Value: {\"instances\":[]} No values in 'instances' array"),
        (
            '{"instances": [1]}',
            TWO,
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
        ),
        ('{"instances": [{"x": 1}, [1]]}', ONE, "Expecting object but got list at item 1 of input list"),
        ('{"instances": [1, {"x": 1}]}', ONE, "Expecting value/list but got object at item 1 of input list"),
        (
            '{"instances": [{"a": 1, "b": "s"}, {"a": "no", "b": "s"}]}',
            TWO,
            "Failed to process element: 1 key: a of 'instances' list. Error: INVALID_ARGUMENT: "
            'JSON Value: "no" Type: String is not of expected type: float',
        ),
        (
            '{"instances": [{"a": 1}]}',
            TWO,
            "Failed to process element: 0 of 'instances' list. JSON object: {\"a\":1} keys must be equal to: a,b",
        ),
        (
            '{"instances": [{"c": 1}]}',
            TWO,
            "Failed to process element: 0 key: c of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: c",
        ),
        (
            '{"instances": [[1, 2], [3]]}',
            ONE,
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1",
        ),
        (
            '{"instances": [[[1, 2]], [[1], [2]]]}',
            ONE,
            "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [1,2] but got: [2,1]",
        ),
        (
            '{"inputs": 1}',
            TWO,
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
        ),
        ('{"inputs": {"a": 1}}', TWO, "Missing named input: b in 'inputs' object."),
    ],
)
def test_wrong_requests_get_upstreams_message(body, signature, message):
    with pytest.raises(StatusError) as caught:
        read(body, signature)
    assert caught.value.message == message


def test_a_signature_name_must_be_text():
    with pytest.raises(StatusError, match="'signature_name' key must be a string value"):
        read_signature_name({"signature_name": 1})


def test_a_signature_without_inputs_is_named():
    with pytest.raises(StatusError, match="Failed to get input map for signature: DEFAULT"):
        read_inputs({}, SignatureSpec("init", "", {}, {}))


@pytest.mark.parametrize(
    ("outputs", "form", "expected"),
    [
        ({"y": np.float32([1, 2.5])}, Format.ROW, {"predictions": [1.0, 2.5]}),
        ({"y": np.float32([[1], [2]])}, Format.ROW, {"predictions": [[1.0], [2.0]]}),
        ({"y": np.float32([])}, Format.ROW, {"predictions": []}),
        ({"y": np.int64([1]), "z_bytes": np.array([b"\xff"], object)}, Format.ROW, {"predictions": [{"y": 1, "z_bytes": {"b64": "/w=="}}]}),
        ({"y": np.float32(3)}, Format.COLUMNAR, {"outputs": 3.0}),
        ({"y": np.int64([1]), "z": np.array([True])}, Format.COLUMNAR, {"outputs": {"y": [1], "z": [True]}}),
    ],
)
def test_answers_are_written(outputs, form, expected):
    assert json.loads(write_outputs(outputs, form)) == expected


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"y": np.float32(1)}, "Tensor name: y has no shape information "),
        ({"y": np.float32([1]), "z": np.float32([1, 2])}, "Tensor name: z has inconsistent batch size: 2 expecting: 1"),
    ],
)
def test_answers_that_have_no_rows_are_refused_in_row_format(outputs, message):
    with pytest.raises(StatusError) as caught:
        write_outputs(outputs, Format.ROW)
    assert caught.value.message == message


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 4))), st.lists(st.binary(max_size=4), min_size=1, max_size=4))
def test_what_a_client_writes_the_server_reads(a, b):
    body = build_request({"a": a, "b": b}, TWO, "two")
    assert read_signature_name(json.loads(body)) == "two"
    _, arrays = read_inputs(parse_object(body), TWO)
    np.testing.assert_array_equal(arrays["a"], a)
    assert arrays["b"].tolist() == b


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 4))), st.lists(st.binary(max_size=4), min_size=1, max_size=4))
def test_what_the_server_writes_a_client_reads(y, z):
    strings = np.empty(len(z), object)
    strings[:] = z
    document = parse_object(write_outputs({"y": y, "z_bytes": strings}, Format.COLUMNAR).encode("utf-8", "surrogateescape"))
    arrays = read_outputs(document, TWO)
    np.testing.assert_array_equal(arrays["y"], y)
    assert arrays["z_bytes"].tolist() == z


@pytest.mark.parametrize("document", [{}, {"outputs": 1}, {"outputs": {"y": 1}}, {"outputs": {"y": "a", "z_bytes": "b"}}])
def test_an_answer_of_another_signature_is_refused(document):
    with pytest.raises(ValueError, match="answer"):
        read_outputs(document, TWO)


def test_types_that_rest_cannot_carry_are_refused_before_they_are_sent():
    spec = SignatureSpec("s", "", {"h": TensorSpec("float16")}, {})
    with pytest.raises(ValueError, match="input h: TF Serving's REST API takes no float16; use gRPC"):
        build_request({"h": [1.0]}, spec)
