"""Whatever goes out through one module of the protocol comes back through another as it was; both JSON parsers are one."""

from __future__ import annotations

import json
import math
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.protocol import json_text, predict, tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.dtypes import BY_NAME
from serving.protocol.json_arrays import infer_shape, read_array, write_array
from serving.protocol.predict import Format
from serving.protocol.signature import SignatureSpec, TensorSpec
from serving.protocol.status import Code, StatusError

NUMBERS = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool")
JSONABLE = (*NUMBERS, "string")
GRPC_ONLY = tuple(name for name in BY_NAME if name not in JSONABLE)
# Sides of mostly 1 and 0 for many dimensions; a JSON value cannot say what comes after a 0.
SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    hnp.array_shapes(min_dims=5, max_dims=32, min_side=1, max_side=1),
    hnp.array_shapes(min_dims=5, max_dims=8, min_side=0, max_side=2),
)
SPECIAL = (0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 3.4028234663852886e38)
many = settings(deadline=None, max_examples=50)


def of(dtype: str, shape: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> st.SearchStrategy[Any]:
    if dtype == "string":
        return hnp.arrays(object, shape, elements=st.binary(max_size=6), fill=st.nothing())
    if dtype == "bfloat16":  # every pattern of 16 bits is one
        return hnp.arrays(np.uint16, shape).map(from_bits)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        usual = st.floats(width=8 * kind.itemsize)  # type: ignore[arg-type]
        with np.errstate(over="ignore"):
            special = np.array(SPECIAL).astype(kind).tolist()
        return hnp.arrays(kind, shape, elements=st.one_of(usual, st.sampled_from(special)))
    return hnp.arrays(kind, shape)


def from_bits(bits: Any) -> Any:
    kind = BY_NAME["bfloat16"].numpy
    return bits.view(kind) if kind.itemsize == 2 else (bits.astype(np.uint32) << 16).view(np.float32)


def same(back: Any, array: Any) -> bool:
    """Type, shape and value are the same; a zero keeps its sign, a NaN may be any NaN."""
    if (back.dtype, back.shape) != (array.dtype, array.shape):
        return False
    if array.dtype == object:
        return bool(back.tolist() == array.tolist())
    with np.errstate(invalid="ignore"):
        equal = (back == array) | ((back != back) & (array != array))
        if array.dtype.kind == "f":
            equal &= (np.signbit(back) == np.signbit(array)) | (array != array)
    return bool(np.all(equal))


def as_json_keeps(array: Any) -> Any:
    """The array with the shape that JSON can tell: the dimensions up to the first 0."""
    shape = array.shape
    return array.reshape(shape[: shape.index(0) + 1]) if 0 in shape else array


def signature(**dtypes: str) -> SignatureSpec:
    specs = {name: TensorSpec(dtype) for name, dtype in dtypes.items()}
    return SignatureSpec("serving_default", "tensorflow/serving/predict", specs, specs)


@many
@given(st.data(), st.sampled_from(JSONABLE), st.booleans())
def test_an_array_survives_json(data: st.DataObject, dtype: str, as_base64: bool) -> None:
    array = data.draw(of(dtype))
    body = ('{"a": ' + write_array(array, as_base64=as_base64) + "}").encode("utf-8", "surrogateescape")
    assert same(read_array(json_text.parse_object(body)["a"], dtype), as_json_keeps(array))


@many
@given(st.data(), st.lists(st.sampled_from(JSONABLE), min_size=1, max_size=3))
def test_a_request_arrives_as_it_was_sent(data: st.DataObject, dtypes: list[str]) -> None:
    arrays = {f"in{number}": data.draw(of(dtype)) for number, dtype in enumerate(dtypes)}
    spec = signature(**{f"in{number}": dtype for number, dtype in enumerate(dtypes)})
    form, back = predict.read_inputs(json_text.parse_object(predict.build_request(arrays, spec)), spec)
    assert form is Format.COLUMNAR
    assert all(same(back[name], as_json_keeps(array)) for name, array in arrays.items())


@many
@given(st.data(), st.lists(st.sampled_from(JSONABLE), min_size=1, max_size=3))
def test_an_answer_arrives_as_it_was_given(data: st.DataObject, dtypes: list[str]) -> None:
    names = [f"out{number}" + "_bytes" * (number % 2) for number in range(len(dtypes))]
    arrays = {name: data.draw(of(dtype)) for name, dtype in zip(names, dtypes, strict=True)}
    body = predict.write_outputs(arrays, Format.COLUMNAR).encode("utf-8", "surrogateescape")
    back = predict.read_outputs(json_text.parse_object(body), signature(**dict(zip(names, dtypes, strict=True))))
    assert all(same(back[name], as_json_keeps(array)) for name, array in arrays.items())


@many
@given(st.data(), st.lists(st.sampled_from(JSONABLE), min_size=1, max_size=3), st.integers(1, 4))
def test_rows_that_come_back_as_instances_are_the_same_arrays(data: st.DataObject, dtypes: list[str], rows: int) -> None:
    inner = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)
    arrays = {f"t{number}": data.draw(of(dtype, inner.map(lambda shape: (rows, *shape)))) for number, dtype in enumerate(dtypes)}
    body = predict.write_outputs(arrays, Format.ROW).replace('"predictions"', '"instances"', 1)
    spec = signature(**{f"t{number}": dtype for number, dtype in enumerate(dtypes)})
    form, back = predict.read_inputs(json_text.parse_object(body.encode("utf-8", "surrogateescape")), spec)
    assert form is Format.ROW
    assert all(same(back[name], array) for name, array in arrays.items())


@many
@given(st.data(), st.sampled_from(list(BY_NAME)), st.booleans(), st.booleans())
def test_a_tensor_survives_the_wire(data: st.DataObject, dtype: str, as_content: bool, from_runtime: bool) -> None:
    array = data.draw(of(dtype))
    if from_runtime:
        proto = wire.TensorProto()
        tensors.write_proto(proto, array, as_content=as_content)
    else:
        proto = tensors.to_proto(array, dtype, as_content=as_content)
    assert same(tensors.to_array(wire.TensorProto.FromString(proto.SerializeToString())), array)


@many
@given(st.data(), st.sampled_from(GRPC_ONLY))
def test_what_json_cannot_carry_is_refused_by_both_sides(data: st.DataObject, dtype: str) -> None:
    array = data.draw(of(dtype, hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=2)))
    with pytest.raises(ValueError, match="use gRPC"):
        predict.build_request({"x": array}, signature(x=dtype))
    with pytest.raises(StatusError) as caught:
        read_array(array.tolist() if array.dtype.kind != "c" else [1.0], dtype)
    assert caught.value.code is Code.UNIMPLEMENTED
    if dtype != "uint16":  # TF Serving writes it and does not read it
        with pytest.raises(StatusError, match="Failed to write JSON value"):
            write_array(array)


# Any bytes at all: JSON of all kinds, with the mistakes that people and programs make.

NUMBERISH = ("0", "-0", "-0.0", "1", "01", "1.", ".5", "+1", "1e5", "1E+05", "1e400", "-1e400", "1e-400", "0.1", "9" * 25, "9" * 400)
WORDS = ("true", "false", "null", "nul", "NaN", "nan", "Inf", "-Inf", "Infinity", "-Infinity")
BARE = st.sampled_from([*NUMBERISH, *WORDS, "18446744073709551616", "-9223372036854775809"])
PIECES = st.one_of(
    st.sampled_from(list('abx:{}[],"\x00\x1f\x7f é€😀')),
    st.sampled_from([r"\n", r"\/", r"\"", r"\\", r"\u0041", r"\u003a", r"\ud83d\ude00", r"\ud800", r"\udc80", r"\ud800A", r"\x", r"\u12"]),
    st.sampled_from(["\udcff", "\udced\udca0\udc80", "\udcc0\udc80"]),  # bytes that are no UTF-8
)
TEXTS = st.lists(PIECES, max_size=4).map(lambda pieces: '"' + "".join(pieces) + '"')
KEYS = st.one_of(st.sampled_from(['"a"', '"b"', '"b64"', '"inputs"', '"instances"', "1", ""]), TEXTS)
SPACES = st.sampled_from(["", "", " ", "\n", "\t", "\x0b"])
SCALARS = st.one_of(BARE, TEXTS, st.floats().map(repr), st.integers(-(2**70), 2**70).map(str))


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.tuples(KEYS, SPACES, values).map(lambda member: f"{member[0]}{member[1]}:{member[2]}")
    return st.lists(members, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}")


def lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=4).map(lambda parts: "[" + ",".join(parts) + "]")


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(objects(inner), lists(inner)), max_leaves=12)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    text = draw(st.one_of(objects(VALUES), objects(VALUES), VALUES))
    body = (draw(SPACES) + text + draw(st.sampled_from(["", "", "", " ", "x", "}", "{}", "\x00"]))).encode("utf-8", "surrogateescape")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at, length = draw(st.integers(0, len(body))), draw(st.integers(0, 2))
        body = body[:at] + draw(st.binary(max_size=2)) + body[at + length :]
    return body


def outcome(body: bytes) -> Any:
    try:
        return repr(json_text.parse_object(body))  # tells 1 from 1.0 and True, 0.0 from -0.0, and the order of keys
    except StatusError as error:
        return error.code, error.message


@settings(deadline=None, max_examples=60)
@given(st.one_of(bodies(), st.binary(max_size=40)))
@example(b'{"a": 1, "a": 2}')
@example(b'{"a": {"b": 1, "b": 2}, "c": ":"}')
@example(b'{"a": [{"b": 1}, {"b": 1, "b": 2}]}')
@example(b'{"a": [1, {"b": 1, "b": ":"}]}')
@example(b'{"a": "\\u003a", "a": 1}')
@example(b'{"a": 1e400}')
@example(b'{"a": "\\ud800"}')
@example(b'{"a": ' + b"9" * 5000 + b"}")
@example(b'{"a": ' + b"[" * 90 + b"]" * 90 + b"}")
@example(b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}")
def test_the_fast_parser_and_the_lenient_one_read_the_same(body: bytes) -> None:
    with mock.patch.object(json_text, "_parse_plain", return_value=None):
        lenient = outcome(body)
    assert outcome(body) == lenient


@many
@given(st.one_of(bodies(), st.binary(max_size=40)))
@example(b'{"a": "\\ud800"}')
@example(b'{"\\udfff": 1}')
@example(b'{"a": "\\ud800\\u0041"}')
def test_whatever_is_read_can_be_told_in_an_answer(body: bytes) -> None:
    """A text with half of a surrogate pair can be printed by nobody, so it must not get in."""
    try:
        text = json.dumps(json_text.parse_object(body), ensure_ascii=False)
    except StatusError as error:
        text = error.message
    text.encode("utf-8", "surrogateescape")


def test_a_plain_document_takes_the_fast_parser() -> None:
    with mock.patch.object(json_text, "_parse", side_effect=AssertionError("the slow parser")):
        for body in (b'{"instances": [1.0, 2]}', b'{"inputs": {"a": [[1]], "b": ["x"]}}', b'{"instances": [{"a": 1}, {"a": 2}]}'):
            assert outcome(body) == repr(json.loads(body))


def array_or_code(value: Any, dtype: str) -> Any:
    try:
        return read_array(value, dtype)
    except StatusError as error:
        return error.code


@many
@given(VALUES)
def test_a_value_is_an_array_of_the_inferred_shape_or_an_error_of_the_request(text: str) -> None:
    try:
        value = json_text.parse_object(f'{{"a": {text}}}'.encode("utf-8", "surrogateescape")).get("a")
    except StatusError:
        return
    for dtype in BY_NAME:
        found = array_or_code(value, dtype)
        assert found in (Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED) if isinstance(found, Code) else found.shape == infer_shape(value)
