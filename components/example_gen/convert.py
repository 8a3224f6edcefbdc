"""A CSV file as typed columns, by the curated schema and not by guessing.

A value that cannot be read as its column's type is left out of the column and kept, with its place, in a column of its own, named
``<column>:unreadable``. The data gate sees that column as one the schema does not know, so a broken value stops the run with the
file, the line and the text, while a whole number in a column of fractions is simply a number.
"""

from __future__ import annotations

import hashlib
import itertools
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from components.example_gen.bucket import Bucket, is_uri
from configs.errors import UsageError

ColumnType = Literal["FLOAT", "INT", "BYTES"]
UNREADABLE = ":unreadable"
_ARROW = {"FLOAT": pa.float32(), "INT": pa.int64(), "BYTES": pa.binary()}
_NUMBERS = {
    "INT": re.compile(r"[+-]?[0-9]+"),
    "FLOAT": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
}
# Beyond these a float32 is infinite, and an int64 does not exist.
_LARGEST = {"FLOAT": 3.4028235e38, "INT": 2**63 - 1}


def read_csv(path: str | Path, columns: Mapping[str, ColumnType], rows: int | None = None) -> tuple[pa.RecordBatch, list[bytes]]:
    """Read a file.

    Args:
        path: of a file, or the URI of one in a bucket.
        columns: every column's type.
        rows: at most so many, from the top; None means all.

    Returns:
        One batch, in which each column is a list array with one value, or null where it is missing (what TFX's encoders take); and
        for each row its content as one text, the same whatever the order of the columns and of the rows.

    Raises:
        UsageError: the file cannot be opened, parsed as CSV, or its columns are not these.
    """
    text = pa.string()
    try:
        table = pa_csv.read_csv(
            Bucket.of(str(path)).stream() if is_uri(str(path)) else str(path),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, text), include_columns=list(columns), null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
    except OSError as error:
        # A worker on another machine sees what that machine has.
        raise UsageError(f"{path}: cannot be read on {platform.node()}: {error}; workers need a shared volume or a bucket") from error
    table = (table if rows is None else table.slice(0, rows)).combine_chunks()
    arrays: dict[str, pa.Array] = {}
    texts = {name: _one_array(table.column(name)) for name in columns}
    for name, kind in columns.items():
        typed, unreadable = _typed(texts, name, kind, _file_name(path))
        arrays[name] = _as_lists(typed)
        if unreadable is not None:
            arrays[name + UNREADABLE] = _as_lists(unreadable)
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays)), _contents(texts)


def _file_name(path: str | Path) -> str:
    return str(path).partition("?")[0].rpartition("/")[2] if is_uri(str(path)) else Path(path).name


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


def _typed(texts: Mapping[str, pa.Array], name: str, kind: ColumnType, file: str) -> tuple[pa.Array, pa.Array | None]:
    values, target = texts[name], _ARROW[kind]
    try:
        cast = pc.cast(values, target)
    except pa.ArrowInvalid:
        cast = None
    # NaN and infinity are not numbers to learn from: one of them makes every mean and so every feature NaN.
    if cast is not None and not (kind == "FLOAT" and pc.any(pc.invert(pc.is_finite(cast))).as_py()):
        return cast, None
    words = values.to_pylist()
    good = [_number(word, kind) for word in words]
    bad = [word if number is None else None for word, number in zip(words, good, strict=True)]
    if all(word is None for word in bad):
        return pa.array(good, target), None
    lines = _first_lines(texts)
    told = [None if word is None else f"{file} line {line}: {word[:80]!r}".encode() for line, word in zip(lines, bad, strict=True)]
    return pa.array(good, target), pa.array(told, pa.binary())


def _number(value: str | None, kind: ColumnType) -> float | int | None:
    # As Arrow reads numbers, not as Python does: no underscores, no digits of other scripts.
    if value is None or not _NUMBERS[kind].fullmatch(value.strip(" \t")):
        return None
    number = int(value) if kind == "INT" else float(value)
    return number if abs(number) <= _LARGEST[kind] else None


def _first_lines(texts: Mapping[str, pa.Array]) -> list[int]:
    """The line that each row begins on. The header is line 1; a quoted value may hold line breaks of its own."""
    rows = zip(*[array.to_pylist() for array in texts.values()], strict=True)
    ends = itertools.accumulate((1 + sum(value.count("\n") for value in row if value is not None) for row in rows), initial=2)
    return list(ends)[:-1]


def _as_lists(values: pa.Array) -> pa.Array:
    """[batch] with nulls as a list array [batch][1], null for a missing value."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    ends = present.cumsum()
    starts = [int(end) - 1 if there else None for end, there in zip(ends, present, strict=True)]
    offsets = pa.array([*starts, int(ends[-1]) if len(ends) else 0], pa.int32())
    return pa.ListArray.from_arrays(offsets, values.drop_null())
