"""Rows go in together and come out apart."""

from __future__ import annotations

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching.merging import merge, mergeable, rows_of, share_out
from serving.server.batching.request import Piece, Request


def pieces(*arrays) -> list[Piece]:
    return [Request({"x": array}, len(array), (0,), 0.0, None).cut([len(array)])[0] for array in map(np.asarray, arrays)]


def merged(*arrays, padding: int = 0, pad: bool = False, strict: bool = True) -> list:
    return merge(pieces(*arrays), ["x"], padding, pad=pad, strict=strict)["x"].tolist()


def refusal(call) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        call()
    return caught.value.code, caught.value.message


def test_rows_are_those_of_every_input():
    assert rows_of({"a": np.zeros((3, 2)), "b": np.zeros(3)}) == 3
    assert rows_of({"a": np.zeros((0, 2))}) == 0


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({}, "Batching Run() must have at least one input tensor"),
        ({"a": np.float32(1)}, "Batching Run() input tensors must have at least one dimension"),
        ({"a": np.zeros(2), "b": np.array(1)}, "Batching Run() input tensors must have at least one dimension"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "Batching Run() input tensors must have equal 0th-dimension size"),
        ({"a": np.zeros(0), "b": np.zeros(3)}, "Batching Run() input tensors must have equal 0th-dimension size"),
    ],
)
def test_inputs_without_common_rows_are_refused(feeds, message):
    assert refusal(lambda: rows_of(feeds)) == (Code.INVALID_ARGUMENT, message)


def test_arrays_are_put_one_behind_the_other():
    assert merged([1, 2], [3]) == [1, 2, 3]


def test_strings_are_merged_like_numbers():
    assert merged(np.array([b"a", b"longer"], object), np.array([b""], object), padding=1) == [b"a", b"longer", b"", b""]


def test_padding_repeats_the_first_row_of_the_last_request():
    assert merged([[1, 1]], [[2, 2], [3, 3]], padding=2) == [[1, 1], [2, 2], [3, 3], [2, 2], [2, 2]]
    assert merged([[1]], padding=1) == [[1], [1]]


def test_a_request_without_rows_is_no_padding():
    assert merged([1], np.zeros(0, int), padding=1) == [1, 1]


def test_dimensions_are_filled_up_with_the_first_element():
    assert merged([[7, 8]], [[1, 2, 3]], padding=1, pad=True) == [[7, 8, 7], [1, 2, 3], [1, 2, 3]]
    words = merged(np.array([[b"a"]], object), np.array([[b"b", b"c"]], object), pad=True)
    assert words == [[b"a", b"a"], [b"b", b"c"]]


def test_all_dimensions_but_the_first_are_filled_up():
    assert merged([[[1]], [[2]]], [[[3, 4], [5, 6]]], pad=True) == [[[1, 1], [1, 1]], [[2, 1], [1, 1]], [[3, 4], [5, 6]]]


@pytest.mark.parametrize("others", [[[1, 2, 3]], [1], [[[1]]]])
def test_shapes_that_differ_are_an_error_without_padding(others):
    text = (
        "Tensors with name 'x' from different tasks have different shapes and padding is turned off. Set pad_variable_length_inputs "
        "to true, or ensure that all tensors with the same name have equal dimensions starting with the first dim."
    )
    assert refusal(lambda: merged([[1, 2]], others)) == (Code.FAILED_PRECONDITION, text)


@pytest.mark.parametrize("pad", [False, True])
def test_types_that_differ_are_an_error(pad):
    text = (
        "Tensor concat operation failed: INVALID_ARGUMENT: Cannot concatenate tensors that have different data types. Got float and int64."
    )
    assert refusal(lambda: merged(np.float32([1]), np.int64([1]), pad=pad)) == (Code.INTERNAL, text)


def test_what_padding_cannot_do_is_an_error():
    code, _ = refusal(lambda: merged([1], [[1]], pad=True))
    assert code == Code.INTERNAL
    empty = np.zeros((1, 0), int)
    text = "Got empty tensor in batch of non-empty tensors."
    assert refusal(lambda: merged(empty, [[1]], pad=True)) == (Code.INVALID_ARGUMENT, text)


def test_strict_pads_no_more_than_six_dimensions():
    deep = np.zeros((1,) * 7)
    text = "Only tensors with rank from 1 to 6 can be padded."
    assert refusal(lambda: merged(deep, pad=True)) == (Code.INVALID_ARGUMENT, text)
    assert merged(deep, pad=True, strict=False) == deep.tolist()


def test_what_can_be_merged_is_grouped_in_order_of_arrival():
    a, b, c, d, e = pieces([1.0], [2], [3.0, 4.0], [[5.0]], [6])
    assert mergeable([a, b, c, d, e], ["x"], pad=False) == [[a, c], [b, e], [d]]


def test_with_padding_one_rank_is_enough_except_for_what_is_empty():
    a, b, c, d, e = pieces([[1.0]], [[1.0, 2.0]], [1.0], np.zeros((1, 0)), np.zeros((2, 0)))
    assert mergeable([a, b, c, d, e], ["x"], pad=True) == [[a, b], [c], [d, e]]
    for group in mergeable([a, b, c, d, e], ["x"], pad=True):
        merge(group, ["x"], 1, pad=True, strict=False)


def test_everyone_gets_his_rows_of_each_output_and_nobody_the_padding():
    asked = pieces([1, 2], [3])
    shares = share_out([np.array([10, 20, 30, 30]), np.array([b"a", b"b", b"c", b"c"], object)], 2, asked, 4)
    assert [[output.tolist() for output in share] for share in shares] == [[[10, 20], [b"a", b"b"]], [[30], [b"c"]]]


@pytest.mark.parametrize(
    ("outputs", "code", "message"),
    [
        ([np.zeros(4)], Code.INTERNAL, "Wrong number of batched output tensors"),
        ([np.zeros(4), np.array(1)], Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions"),
        (
            [np.zeros(4), np.zeros(3)],
            Code.FAILED_PRECONDITION,
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors",
        ),
    ],
)
def test_outputs_that_have_not_the_rows_of_the_inputs_are_refused(outputs, code, message):
    assert refusal(lambda: share_out(outputs, 2, pieces([1, 2], [3]), 4)) == (code, message)
