"""Arrays become tensors of TensorFlow's own and come back the same."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.protocol.dtypes import BY_NAME
from serving.protocol.status import Code, StatusError
from serving.server.runtime.library import library
from serving.server.runtime.tensors import Tensors

NUMBERS = tuple(name for name in BY_NAME if name != "string")
QINT8 = 11


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return Tensors(library())


def there_and_back(tensors: Tensors, array: np.ndarray) -> np.ndarray:
    tensor = tensors.make(array)
    try:
        return tensors.read(tensor)
    finally:
        library().DeleteTensor(tensor)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (2, 0, 3), (1,) * 8, (1,) * 9, (1,) * 32], ids=str)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_come_back_bit_by_bit(tensors, name, shape):
    kind = BY_NAME[name].numpy
    content = np.random.default_rng(7).integers(0, 2, int(np.prod(shape)) * kind.itemsize, dtype=np.uint8)
    array = content.view(kind).reshape(shape)
    assert same(there_and_back(tensors, array), array)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_tensor_has_tensorflows_type(tensors, name):
    tensor = tensors.make(np.zeros(1, BY_NAME[name].numpy))
    assert library().TensorType(tensor) == BY_NAME[name].number
    library().DeleteTensor(tensor)


VIEWS = {
    "turned": lambda array: array.T,
    "every other": lambda array: array[:, ::2],
    "backwards": lambda array: array[::-1],
    "repeated": lambda array: np.broadcast_to(array[0], (5, 4)),
    "a part": lambda array: array[1:],
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", [np.float32, object])
def test_a_view_is_read_in_its_own_order(tensors, view, kind):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    if kind is object:
        array = np.array([b"%d" % number for number in array.ravel()], object).reshape(3, 4)
    seen = VIEWS[view](array)
    assert there_and_back(tensors, seen).tolist() == seen.tolist()


# Long ones leave TensorFlow's short-string form.
@settings(max_examples=50, deadline=None)
@given(arrays.arrays(object, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=st.binary(max_size=60)))
def test_strings_come_back_byte_by_byte(array):
    tensors = Tensors(library())
    found = there_and_back(tensors, array)
    assert (found.shape, found.tolist()) == (array.shape, array.tolist())
    assert not tensors._strings


def test_large_strings_come_back(tensors):
    array = np.array([bytes(range(256)) * 4096, b"", b"\0"], object)
    assert there_and_back(tensors, array).tolist() == array.tolist()


def test_strings_are_held_until_tensorflow_has_done_with_them(tensors):
    tensor = tensors.make(np.array([b"a" * 100], object))
    assert len(tensors._strings) == 1
    library().DeleteTensor(tensor)
    assert not tensors._strings


def test_a_tensor_is_a_copy(tensors):
    array = np.float32([1, 2])
    tensor = tensors.make(array)
    array[:] = 0
    found = tensors.read(tensor)
    library().DeleteTensor(tensor)
    assert found.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(["text"]), "arrays of <U4 have no tensor type"),
        (np.array([b"text"]), r"arrays of \|S4 have no tensor type"),
        (np.array(["2024-01-01"], "datetime64[D]"), "arrays of datetime64.* have no tensor type"),
        (np.array([b"a", "text"], object), "a string tensor holds bytes, not str"),
        (np.array([None], object), "a string tensor holds bytes, not NoneType"),
        (np.array([b"a", bytearray(b"b")], object), "a string tensor holds bytes, not bytearray"),
    ],
)
def test_what_is_no_tensor_is_refused(tensors, array, message):
    with pytest.raises(StatusError, match=message) as caught:
        tensors.make(array)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert not tensors._strings


def test_more_than_there_is_memory_is_refused():
    class Full:
        """A library that has no memory left."""

        def AllocateTensor(self, *_: object) -> None:  # noqa: N802 - TensorFlow's name
            return None

    with pytest.raises(StatusError, match=r"no memory for a tensor of shape \[1, 2\]") as caught:
        Tensors(Full()).make(np.zeros((1, 2), np.float32))  # type: ignore[arg-type]
    assert caught.value.code is Code.RESOURCE_EXHAUSTED


def test_an_element_type_without_an_array_is_refused(tensors):
    tensor = library().AllocateTensor(QINT8, (ctypes.c_int64 * 1)(4), 1, 4)
    with pytest.raises(StatusError, match="tensors of type number 11 cannot be sent") as caught:
        tensors.read(tensor)
    library().DeleteTensor(tensor)
    assert caught.value.code is Code.UNIMPLEMENTED
