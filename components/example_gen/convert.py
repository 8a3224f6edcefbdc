"""A CSV file as typed columns, by the curated schema and not by guessing.

A value that cannot be read as its column's type is left out of the column and kept, with its place, in a column of its own, named
``<column>:unreadable``. The data gate sees that column as one the schema does not know, so a broken value stops the run with the
file, the line and the text, while a whole number in a column of fractions is simply a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from configs.errors import UsageError

ColumnType = Literal["FLOAT", "INT", "BYTES"]
UNREADABLE = ":unreadable"
_ARROW = {"FLOAT": pa.float32(), "INT": pa.int64(), "BYTES": pa.binary()}


def read_csv(path: str | Path, columns: Mapping[str, ColumnType], rows: int | None = None) -> tuple[pa.RecordBatch, list[bytes]]:
    """Read a file.

    Args:
        columns: every column's type.
        rows: at most so many, from the top; None means all.

    Returns:
        One batch, in which each column is a list array with one value, or null where it is missing (what TFX's encoders take); and
        for each row its content as one text, the same whatever the order of the columns and of the rows.

    Raises:
        UsageError: the file cannot be parsed as CSV, or its columns are not these.
    """
    text = pa.string()
    try:
        table = pa_csv.read_csv(
            str(path),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, text), include_columns=list(columns), null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
    table = (table if rows is None else table.slice(0, rows)).combine_chunks()
    arrays: dict[str, pa.Array] = {}
    texts = {name: _one_array(table.column(name)) for name in columns}
    for name, kind in columns.items():
        typed, unreadable = _typed(texts[name], kind, Path(path).name)
        arrays[name] = _as_lists(typed)
        if unreadable is not None:
            arrays[name + UNREADABLE] = _as_lists(unreadable)
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays)), _contents(texts)


def bucket_of(content: bytes, buckets: int) -> int:
    """Which of so many buckets a row belongs to: by its content alone, so that the same row never moves between train and eval."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % buckets


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    return whole


def _contents(texts: Mapping[str, pa.Array]) -> list[bytes]:
    # A unit separator cannot be part of a readable value, so two different rows never join to the same text.
    joined = pc.binary_join_element_wise(*[pc.fill_null(texts[name], "") for name in sorted(texts)], "\x1f")
    return [value.encode() for value in joined.to_pylist()]


def _typed(values: pa.Array, kind: ColumnType, file: str) -> tuple[pa.Array, pa.Array | None]:
    target = _ARROW[kind]
    try:
        return pc.cast(values, target), None
    except pa.ArrowInvalid:
        pass
    good: list[Any] = []
    bad: list[bytes | None] = []
    for row, value in enumerate(values.to_pylist()):
        number = _number(value, kind)
        good.append(number)
        # The header is line 1.
        bad.append(None if value is None or number is not None else f"{file} line {row + 2}: {value[:80]!r}".encode())
    return pa.array(good, target), pa.array(bad, pa.binary())


def _number(value: str | None, kind: ColumnType) -> float | int | None:
    try:
        return None if value is None else (int(value) if kind == "INT" else float(value))
    except ValueError:
        return None


def _as_lists(values: pa.Array) -> pa.Array:
    """[batch] with nulls as a list array [batch][1], null for a missing value."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    ends = present.cumsum()
    starts = [int(end) - 1 if there else None for end, there in zip(ends, present, strict=True)]
    offsets = pa.array([*starts, int(ends[-1]) if len(ends) else 0], pa.int32())
    return pa.ListArray.from_arrays(offsets, values.drop_null())
