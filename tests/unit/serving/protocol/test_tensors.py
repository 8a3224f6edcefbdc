"""Arrays survive the wire."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.dtypes import BY_NAME

NUMERIC = [name for name in BY_NAME if name not in ("string", "bfloat16")]
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def over_the_wire(proto: wire.TensorProto) -> np.ndarray:
    return tensors.to_array(wire.TensorProto.FromString(proto.SerializeToString()))


@given(st.data(), st.sampled_from(NUMERIC), st.booleans())
def test_every_numeric_array_comes_back_as_it_was(data, dtype, as_content):
    array = data.draw(hnp.arrays(np.dtype(dtype), SHAPES))
    back = over_the_wire(tensors.to_proto(array, as_content=as_content))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(hnp.arrays(object, SHAPES, elements=st.binary(max_size=5), fill=st.nothing()), st.booleans())
def test_every_string_array_comes_back_as_it_was(array, as_content):
    back = over_the_wire(tensors.to_proto(array, as_content=as_content))
    assert back.shape == array.shape
    assert back.tolist() == array.tolist()


@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(width=16, allow_nan=False)))
def test_bfloat16_is_the_upper_half_of_float32(array):
    back = over_the_wire(tensors.to_proto(array, "bfloat16")).astype(np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(back, array, rtol=2**-8)


def test_typed_fields_are_written_by_default():
    proto = tensors.to_proto(np.float32([1, 2]))
    assert list(proto.float_val) == [1, 2]
    assert proto.tensor_content == b""


def test_content_is_written_on_demand():
    assert tensors.to_proto(np.int32([1]), as_content=True).tensor_content == b"\x01\x00\x00\x00"


def proto_of(shape: list[int], **fields) -> wire.TensorProto:
    return wire.TensorProto(tensor_shape=wire.TensorShapeProto(dim=[wire.TensorShapeProto.Dim(size=size) for size in shape]), **fields)


@pytest.mark.parametrize(
    ("proto", "expected"),
    [
        (proto_of([2, 2], dtype=1, float_val=[7]), [[7, 7], [7, 7]]),
        (proto_of([3], dtype=3, int_val=[1, 2]), [1, 2, 2]),
        (proto_of([2], dtype=9), [0, 0]),
        (proto_of([2], dtype=7), [b"", b""]),
        (proto_of([1], dtype=3, int_val=[1, 2, 3]), [1]),
        (proto_of([], dtype=10, bool_val=[True]), True),
        (proto_of([2], dtype=7, tensor_content=b"\x01\x02abc"), [b"a", b"bc"]),
    ],
)
def test_missing_values_are_filled_with_the_last_one(proto, expected):
    assert tensors.to_array(proto).tolist() == expected


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (proto_of([2], dtype=1, tensor_content=b"abc"), "holds 3 bytes, 8 expected"),
        (proto_of([-1], dtype=1), "negative size"),
        (proto_of([2**40], dtype=1, float_val=[1]), "larger than a message"),
        (proto_of([1], dtype=21), "type number 21"),
        (proto_of([1], dtype=7, tensor_content=b"\x05a"), "does not hold the strings"),
        (proto_of([1], dtype=7, tensor_content=b"\x80"), "ends inside a length"),
        (wire.TensorProto(dtype=1, tensor_shape=wire.TensorShapeProto(unknown_rank=True)), "needs a shape"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(proto, message):
    with pytest.raises(ValueError, match=message):
        tensors.to_array(proto)


def test_a_written_scalar_has_a_shape_of_no_dimensions():
    proto = wire.TensorProto()
    tensors.write_proto(proto, np.asarray(np.float32(1.5)))
    assert proto.HasField("tensor_shape")
    assert not proto.tensor_shape.dim
    assert list(proto.float_val) == [1.5]


@pytest.mark.parametrize("array", [np.float32([[1, 2]]), np.array([b"a", b""], object), np.zeros((0, 3), np.int64)])
@pytest.mark.parametrize("as_content", [True, False])
def test_a_written_array_is_read_back(array, as_content):
    proto = wire.TensorProto()
    tensors.write_proto(proto, array, as_content=as_content)
    read = tensors.to_array(proto)
    assert (read.shape, read.dtype, read.tolist()) == (array.shape, array.dtype, array.tolist())


def test_a_few_bytes_cannot_ask_for_gigabytes():
    proto = wire.TensorProto(dtype=1, float_val=[1.0])
    proto.tensor_shape.dim.add().size = 2**28
    with pytest.raises(ValueError, match="1 values are given for 268435456, and so many are not filled in"):
        tensors.to_array(proto)
