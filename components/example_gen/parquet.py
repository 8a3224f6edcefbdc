"""A Parquet file as typed columns, one row group after the other; what its columns may be for the schema's types.

Its values have types of their own. Where the schema wants a number, a text is read as in a CSV file; where it wants a text, a number is
written as one. A null, and as in a CSV file an empty text, is a missing value.
"""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.example_gen.bucket import Bucket, RemoteFile, is_uri
from components.example_gen.convert import ARROW, LARGEST, UNREADABLE, as_lists, file_name, keys_of, number, told_places, unreadable_on_host
from components.example_gen.header import check_header
from components.example_gen.reading import Reading
from configs.errors import UsageError

# Rows at a time; a row group is read from the disk in one go whatever this is.
_BATCH = 16_384


def check_parquet(place: Path | RemoteFile, file: Any, reading: Reading) -> None:
    """Look at the footer alone: the wanted columns, of types that can be the schema's, and at least one row.

    Args:
        place: how messages name the file.
        file: a path or an open file.

    Raises:
        UsageError: they do not fit.
    """
    try:
        with pq.ParquetFile(file) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{place}: not Parquet: {str(error).splitlines()[0]}") from error
    check_header(place, schema.names, reading)
    for name, written in reading.wanted.items():
        kind, type_ = reading.columns.get(name, "BYTES"), schema.field(written).type
        if not _fits(type_, kind):
            raise UsageError(f"{place}: column {reading.told(name)} is {type_}, which cannot be {kind}")
    if not rows:
        raise UsageError(f"{place}: columns and no rows")


def read_parquet(path: str | Path, reading: Reading, rows: int | None = None) -> Iterator[tuple[pa.RecordBatch, list[bytes]]]:
    """Read a file bit by bit; as :func:`convert.read_csv` for each bit.

    Raises:
        UsageError: it cannot be read.
    """
    written, done = reading.wanted, 0
    try:
        with pq.ParquetFile(Bucket.of(str(path)).file() if is_uri(str(path)) else str(path)) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH, columns=list(written.values())):
                part = batch if rows is None else batch.slice(0, rows - done)
                if not part.num_rows:
                    return
                yield _converted(part, written, reading, f"{file_name(path)} row", done)
                done += part.num_rows
    except pa.ArrowException as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise unreadable_on_host(path, error) from error


def _converted(
    batch: pa.RecordBatch, written: dict[str, str], reading: Reading, place: str, done: int
) -> tuple[pa.RecordBatch, list[bytes]]:
    arrays: dict[str, pa.Array] = {}
    found: dict[str, pa.Array] = {}
    for name, in_file in written.items():
        values, kind = _plain(batch.column(batch.schema.get_field_index(in_file))), reading.columns.get(name, "BYTES")
        found[name], bad = (_texts(values), None) if kind == "BYTES" else _numbers(values, kind)
        if name in reading.columns:
            arrays[name] = as_lists(found[name])
        if bad is not None:
            arrays[name + UNREADABLE] = as_lists(told_places(bad, place, itertools.count(done + 1), name, in_file))
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays)), keys_of(found, reading)


def _fits(type_: Any, kind: str) -> bool:
    types = pa.types
    if types.is_dictionary(type_):
        type_ = type_.value_type
    number = types.is_integer(type_) or types.is_boolean(type_) or types.is_decimal(type_) or types.is_null(type_)
    number = number or (types.is_floating(type_) and not types.is_float16(type_))
    text = types.is_string(type_) or types.is_large_string(type_)
    if kind != "BYTES":
        return number or text
    binary = types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_)
    return number or text or binary or types.is_date(type_) or types.is_timestamp(type_) or types.is_time(type_)


def _plain(values: pa.Array) -> pa.Array:
    """Without a dictionary."""
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _texts(values: pa.Array) -> pa.Array:
    if pa.types.is_decimal(values.type):
        values = pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    binary = any(kind(values.type) for kind in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary))
    found = pc.cast(values if binary else pc.cast(values, pa.string()), pa.binary())
    return pc.if_else(pc.equal(pc.binary_length(found), 0), pa.scalar(None, pa.binary()), found)


def _numbers(values: pa.Array, kind: str) -> tuple[pa.Array, list[str | None] | None]:
    """The numbers, and for each value that is none its text."""
    target = ARROW[kind]
    try:
        cast = pc.cast(values, target)
    except pa.ArrowException:
        cast = None
    if cast is not None and not (kind == "FLOAT" and pc.any(pc.invert(pc.is_finite(cast))).as_py()):
        return cast, None
    plain = [None if value == "" else value for value in values.to_pylist()]
    good = [number(value, kind) if isinstance(value, str) else _number(value, kind) for value in plain]
    bad = [str(value) if value is not None and found is None else None for value, found in zip(plain, good, strict=True)]
    return pa.array(good, target), bad if any(word is not None for word in bad) else None


def _number(value: float | decimal.Decimal | None, kind: str) -> float | int | None:
    if isinstance(value, decimal.Decimal):
        value = int(value) if value == int(value) else float(value)
    if value is None or not math.isfinite(value) or abs(value) > LARGEST[kind]:
        return None
    if kind == "FLOAT":
        return float(value)
    return int(value) if value == int(value) else None
