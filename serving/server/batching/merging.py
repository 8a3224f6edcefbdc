"""Rows of many requests into one array for each input, and the rows of each output back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from serving.protocol.dtypes import of_array
from serving.protocol.status import Code, StatusError, invalid
from serving.server.batching.request import Piece
from serving.server.servable import Array

_PADDABLE_RANKS = range(1, 7)


def rows_of(feeds: Mapping[str, Array]) -> int:
    """How many rows a request has. Raises StatusError (INVALID_ARGUMENT) when its inputs have no rows, or not as many each."""
    rows = -1
    for array in feeds.values():
        if array.ndim == 0:
            raise invalid("Batching Run() input tensors must have at least one dimension")
        if rows not in (-1, array.shape[0]):
            raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
        rows = array.shape[0]
    if rows == -1:
        raise invalid("Batching Run() must have at least one input tensor")
    return rows


def mergeable(pieces: Sequence[Piece], names: Sequence[str], *, pad: bool) -> list[list[Piece]]:
    """The pieces in groups that `merge` can put together, each in order of arrival.

    Inputs must have one type and, in all dimensions but the first, one shape; with ``pad`` one rank is enough, except for arrays
    without elements, which have nothing to be padded with.
    """
    if len(pieces) == 1:
        return [list(pieces)]
    groups: dict[tuple[object, ...], list[Piece]] = {}
    for piece in pieces:
        key: list[object] = []
        for name in names:
            array = piece.feed(name)
            key += (array.dtype, array.ndim if pad and array.size else array.shape[1:])
        groups.setdefault(tuple(key), []).append(piece)
    return list(groups.values())


def merge(pieces: Sequence[Piece], names: Sequence[str], padding: int, *, pad: bool, strict: bool) -> dict[str, Array]:
    """One array for each input: the rows of the pieces, then the first row of the last piece that has one ``padding`` times.

    With ``pad`` dimensions that differ are filled up with the first element of the array that is too small.
    Raises StatusError with TF Serving's code and text for pieces that `mergeable` would not have put together.
    """
    if len(pieces) == 1 and not padding and not pad:
        return {name: pieces[0].feed(name) for name in names}
    merged = {}
    for name in names:
        arrays = [piece.feed(name) for piece in pieces]
        arrays = _filled_up(arrays, name, strict) if pad else _alike(arrays, name)
        if padding:
            row = next(array for array in reversed(arrays) if len(array))[:1]
            arrays.append(np.broadcast_to(row, (padding, *row.shape[1:])))
        merged[name] = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    return merged


def share_out(outputs: Sequence[Array], count: int, pieces: Sequence[Piece], rows: int) -> list[list[Array]]:
    """For each piece its rows of each output: views, nothing is copied. ``rows`` includes the padding, which nobody gets.

    Raises StatusError when ``outputs`` are not ``count`` arrays of so many rows.
    """
    if len(outputs) != count:
        raise StatusError(Code.INTERNAL, "Wrong number of batched output tensors")
    for output in outputs:
        if output.ndim == 0:
            raise StatusError(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
        if output.shape[0] != rows:
            raise StatusError(
                Code.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors",
            )
    if len(pieces) == 1 and rows == pieces[0].rows:
        return [list(outputs)]
    shares, first = [], 0
    for piece in pieces:
        last = first + piece.rows
        shares.append([output[first:last] for output in outputs])
        first = last
    return shares


def _alike(arrays: list[Array], name: str) -> list[Array]:
    shape = arrays[0].shape[1:]
    if any(array.shape[1:] != shape for array in arrays):
        raise StatusError(
            Code.FAILED_PRECONDITION,
            f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off. "
            "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name have equal dimensions "
            "starting with the first dim.",
        )
    return _of_one_type(arrays)


def _of_one_type(arrays: list[Array]) -> list[Array]:
    for array in arrays:
        if array.dtype != arrays[0].dtype:
            raise StatusError(
                Code.INTERNAL,
                "Tensor concat operation failed: INVALID_ARGUMENT: Cannot concatenate tensors that have different data types. "
                f"Got {of_array(arrays[0]).tf_name} and {of_array(array).tf_name}.",
            )
    return arrays


def _filled_up(arrays: list[Array], name: str, strict: bool) -> list[Array]:
    rank = arrays[0].ndim
    if any(array.ndim != rank for array in arrays):
        # TF Serving writes beyond its arrays here and dies.
        raise StatusError(
            Code.INTERNAL, f"Tensors with name '{name}' from different tasks have different ranks, which padding cannot make equal."
        )
    if strict and rank not in _PADDABLE_RANKS:
        raise invalid("Only tensors with rank from 1 to 6 can be padded.")
    shape = tuple(max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays), strict=True))
    return _of_one_type([array if array.shape[1:] == shape else _fill_up(array, shape) for array in arrays])


def _fill_up(array: Array, shape: tuple[int, ...]) -> Array:
    if array.size == 0:
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    larger: Array = np.full((array.shape[0], *shape), array.flat[0], dtype=array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return larger
