"""A CSV file as typed columns, by the curated schema and not by guessing.

A value that cannot be read as its column's type is left out of the column and kept, with its place, in a column of its own, named
``<column>:unreadable``. The data gate sees that column as one the schema does not know, so a broken value stops the run with the
file, the line and the text, while a whole number in a column of fractions is simply a number.
"""

from __future__ import annotations

import csv
import hashlib
import io
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from components.example_gen.bucket import Bucket, is_uri
from components.example_gen.check_csv import LONGEST_TEXT, long_texts
from components.example_gen.reading import Reading
from configs.errors import UsageError

UNREADABLE = ":unreadable"
ARROW = {"FLOAT": pa.float32(), "INT": pa.int64(), "BYTES": pa.binary()}
_NUMBERS = {
    "INT": re.compile(r"([+-]?)0*([0-9]+)"),
    "FLOAT": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
}
# Of an int64. Python does not read texts of thousands of digits as numbers.
_MOST_DIGITS = 19
# A row must fit into one; the longest text that a check lets pass does, whatever its letters are.
_BLOCK = 4 * LONGEST_TEXT
# A number as a text, whole: its sign, and what is left without zeros that say nothing.
_WHOLE = r"^(?:\+|(-))?0*([0-9]+)(?:\.0*)?$"
# Beyond these a float32 is infinite, and an int64 does not exist.
LARGEST: dict[str, float] = {"FLOAT": 3.4028235e38, "INT": 2**63 - 1}


def read_csv(path: str | Path, reading: Reading, rows: int | None = None) -> tuple[pa.RecordBatch, list[bytes]]:
    """Read a file.

    Args:
        path: of a file, or the URI of one in a bucket.
        rows: at most so many, from the top; None means all.

    Returns:
        One batch, in which each column is a list array with one value, or null where it is missing (what TFX's encoders take); and
        for each row the key that decides its split, the same whatever the order of the columns and of the rows.

    Raises:
        UsageError: the file cannot be opened, parsed as CSV, or its columns are not these.
    """
    text, written = pa.string(), reading.wanted
    try:
        table = pa_csv.read_csv(
            Bucket.of(str(path)).stream() if is_uri(str(path)) else str(path),
            # Not Arrow's own size, and a larger one where that fails: a read that failed may hang the process at its end.
            read_options=pa_csv.ReadOptions(block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(written.values(), text),
                include_columns=list(written.values()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise unreadable_on_host(path, error) from error
    table = (table if rows is None else table.slice(0, rows)).combine_chunks()
    arrays: dict[str, pa.Array] = {}
    found: dict[str, pa.Array] = {}
    lines: list[int] | None = None
    # By position: names that are unique in the file stand where they were asked for.
    for place, (name, in_file) in enumerate(written.items()):
        found[name], bad = _typed(_one_array(table.column(place)), reading.columns.get(name, "BYTES"))
        if name in reading.columns:
            arrays[name] = as_lists(found[name])
        if bad is not None:
            lines = _first_lines(path, len(bad)) if lines is None else lines
            where = f"{file_name(path)} {'line' if lines else 'row'}"
            arrays[name + UNREADABLE] = as_lists(told_places(bad, where, lines or range(1, len(bad) + 1), name, in_file))
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays)), keys_of(found, reading)


def unreadable_on_host(path: str | Path, error: OSError) -> UsageError:
    """A worker on another machine sees what that machine has."""
    return UsageError(f"{path}: cannot be read on {platform.node()}: {error}; workers need a shared volume or a bucket")


def file_name(path: str | Path) -> str:
    """Its last part, of a URI too."""
    return str(path).partition("?")[0].rpartition("/")[2] if is_uri(str(path)) else Path(path).name


def bucket_of(content: bytes, buckets: int) -> int:
    """Which of so many buckets a row belongs to: by its content alone, so that the same row never moves between train and eval."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % buckets


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    return whole


def keys_of(found: Mapping[str, pa.Array], reading: Reading) -> list[bytes]:
    """For each row what decides its split: the value of the key's column, or its whole content where it has none.

    It is of what becomes the example and not of how a file writes it: 7 and 007 are one number, in CSV and in Parquet.

    Args:
        found: column to values by its type; null where missing. The key's column is there even where the schema does not know it.
    """
    # By name: neither the order of a file's columns nor that of the schema moves a row.
    columns = [pc.fill_null(_key_part(found[name], reading.columns[name]), b"") for name in sorted(reading.columns)]
    # A unit separator is hardly ever part of a value; where it is, the worst is that two rows share a side.
    contents: list[bytes] = pc.binary_join_element_wise(*columns, b"\x1f").to_pylist()
    if reading.key is None:
        return contents
    kind = reading.columns.get(reading.key)
    own = (_loose(found[reading.key]) if kind is None else _key_part(found[reading.key], kind)).to_pylist()
    return [content if value is None else value for value, content in zip(own, contents, strict=True)]


def _key_part(values: pa.Array, kind: str) -> pa.Array:
    """Values as the split's key sees them. Of fractions the bits: how a library writes them may change, and rows would move."""
    if kind == "FLOAT":
        # -0.0 is 0.0; adding the latter makes the former one.
        bits = (np.asarray(values.fill_null(0.0), np.float32) + np.float32(0)).view(np.int32)
        values = pa.array(bits, mask=np.asarray(values.is_null()))
    return pc.cast(values if kind == "BYTES" else pc.cast(values, pa.string()), pa.binary())


def _loose(values: pa.Array) -> pa.Array:
    """Texts of a column without a type, where 7, 007 and 7.0 are one: the last is how pandas writes numbers of which one is missing."""
    return pc.replace_substring_regex(values, _WHOLE, r"\1\2")


def _typed(values: pa.Array, kind: str) -> tuple[pa.Array, list[str | None] | None]:
    """The values by their type; and if there are any that are none of it, row by row their texts."""
    target = ARROW[kind]
    try:
        # By way of a double, as numbers of Parquet come: rounded twice, a text may become another float32 than rounded once.
        cast = pc.cast(pc.cast(values, pa.float64()), target) if kind == "FLOAT" else pc.cast(values, target)
    except pa.ArrowInvalid:
        cast = None
    # NaN and infinity are not numbers to learn from: one of them makes every mean and so every feature NaN.
    if cast is not None and not (kind == "FLOAT" and pc.any(pc.invert(pc.is_finite(cast))).as_py()):
        return cast, None
    words = values.to_pylist()
    good = [number(word, kind) for word in words]
    bad = [word if found is None else None for word, found in zip(words, good, strict=True)]
    return pa.array(good, target), bad if any(word is not None for word in bad) else None


def told_places(bad: Sequence[str | None], place: str, numbers: Iterable[int], name: str, written: str) -> pa.Array:
    """For each value that cannot be read, where it stands and its beginning.

    Args:
        place: the file, and what is numbered.
        name, written: the column's name, and that in the file.
    """
    mark = f" column {written!r}" if written != name else ""
    told = [None if word is None else f"{place} {at}{mark}: {word[:80]!r}".encode() for at, word in zip(numbers, bad)]  # noqa: B905 - numbers may be endless
    return pa.array(told, pa.binary())


def number(value: str | None, kind: str) -> float | int | None:
    """A text as a number, or None where it is none. As Arrow reads them, not as Python does: no underscores, no digits of other scripts."""
    match = None if value is None else _NUMBERS[kind].fullmatch(value.strip(" \t"))
    if match is None or (kind == "INT" and len(match[2]) > _MOST_DIGITS):
        return None
    found = int(match[1] + match[2]) if kind == "INT" else float(match[0])
    return found if abs(found) <= LARGEST[kind] else None


def _first_lines(path: str | Path, count: int) -> list[int]:
    """The line that each of the first rows begins on; none where the file cannot be read again. Empty lines are no rows."""
    lines: list[int] = []
    try:
        with _opened(path) as file, long_texts():
            rows = csv.reader(file)
            next(rows, None)
            begin = rows.line_num + 1
            for row in rows:
                lines += [begin] if row else []
                begin = rows.line_num + 1
                if len(lines) == count:
                    return lines
    except (OSError, csv.Error, UsageError):
        pass
    return []


def _opened(path: str | Path) -> Any:
    if is_uri(str(path)):
        return io.TextIOWrapper(Bucket.of(str(path)).stream(), "utf-8-sig", "replace", newline="")
    return Path(path).open(encoding="utf-8-sig", errors="replace", newline="")


def as_lists(values: pa.Array) -> pa.Array:
    """[batch] with nulls as a list array [batch][1], null for a missing value."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    ends = present.cumsum()
    starts = [int(end) - 1 if there else None for end, there in zip(ends, present, strict=True)]
    offsets = pa.array([*starts, int(ends[-1]) if len(ends) else 0], pa.int32())
    return pa.ListArray.from_arrays(offsets, values.drop_null())
