"""Rows as a person writes them, to the columns a signature wants, and answers back to rows."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import UsageError
from configs.paths import expanded
from serving.protocol.casting import cast
from serving.protocol.dtypes import BY_NAME
from serving.protocol.signature import SignatureSpec, TensorSpec

Array = np.ndarray[Any, Any]
# What stands for a missing value where a signature wants every column.
MISSING_INT = -1
_MISSING: dict[str, Any] = {"O": b"", "f": float("nan"), "i": MISSING_INT}
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
# As base64 in JSON it is a third more, and a server takes no larger message.
LARGEST_FILE_MIB = 64


class TextRow(dict[str, str]):
    """A row of a CSV file: texts, which a signature gives their types. ``place`` is its file and line."""

    def __init__(self, cells: Mapping[str, str], place: str) -> None:
        super().__init__(cells)
        self.place = place


def read_rows(text: str) -> list[Mapping[str, Any]]:
    """A JSON object, a list of them, ``@file`` with either, or ``@file.csv`` whose first line names the columns.

    Raises:
        UsageError: it is none of these.
    """
    source = "the row"
    if text.startswith("@"):
        source = text[1:]
        try:
            text = expanded(source).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if source.lower().endswith(".csv"):
            return _read_csv(text, source)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{source}: not valid JSON: {error}") from error
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{source}: expected a JSON object or a list of objects, one for each row")
    return rows


def columns_from_rows(rows: Sequence[Mapping[str, Any]], spec: SignatureSpec) -> dict[str, Array]:
    """One array [rows, ...] for each input of the signature; a column that a row leaves out, or null, is missing there.

    Raises:
        UsageError: a row names a column the model does not have, or a value is of the wrong type.
    """
    for number, row in enumerate(rows):
        unknown = sorted(set(row) - set(spec.inputs))
        if unknown:
            place = row.place if isinstance(row, TextRow) else f"row {number}"
            raise UsageError(f"{place}: unknown column {unknown[0]!r}; the model takes: {', '.join(sorted(spec.inputs))}")
    rows = [_typed(row, spec) if isinstance(row, TextRow) else row for row in rows]
    columns = {}
    for name, tensor in spec.inputs.items():
        kind = BY_NAME[tensor.dtype].numpy if tensor.dtype in BY_NAME else None
        if kind is None:
            raise UsageError(f"{name}: a column of {tensor.dtype} cannot be written as a row")
        values = [row.get(name, None) for row in rows]
        if tensor.shape is not None and len(tensor.shape) > 1:
            columns[name] = _nested(name, values, tensor)
            continue
        if kind.kind not in _MISSING and None in values:
            raise UsageError(f"{name}: a {kind.name} column has no sign for a missing value; give it in every row")
        values = [_MISSING[kind.kind] if value is None else value for value in values]
        columns[name] = _column(name, values, kind)
    return columns


def columns_from_files(paths: Sequence[Path], spec: SignatureSpec) -> dict[str, Array]:
    """The bytes of files, such as photos, as the one text column [files] that a signature takes.

    Raises:
        UsageError: it takes something else, or a file is not there, not a file, empty or too large.
    """
    if [tensor.dtype for tensor in spec.inputs.values()] != ["string"]:
        wanted = ", ".join(f"{name} ({tensor.dtype})" for name, tensor in sorted(spec.inputs.items())) or "nothing"
        raise UsageError(f"{paths[0]}: signature {spec.name} takes {wanted}, not the bytes of a file; give rows as JSON or @FILE")
    column = np.empty(len(paths), object)
    column[:] = [_file_bytes(path) for path in paths]
    return dict.fromkeys(spec.inputs, column)


def answers_by_row(outputs: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Named arrays [rows, ...] as one plain dictionary for each row."""
    plain = {name: [_plain(value) for value in array.tolist()] for name, array in outputs.items()}
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


def _file_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        size = path.stat().st_size
        if size > LARGEST_FILE_MIB * 2**20:
            raise UsageError(f"{path}: {size / 2**20:.1f} MiB, at most {LARGEST_FILE_MIB} fit into a request; make it smaller")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise UsageError(f"{path}: the file is empty")
    return content


def _read_csv(text: str, source: str) -> list[Mapping[str, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Mapping[str, Any]] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not all(header) or len(set(header)) < len(header) or not header:
            raise UsageError(f"{source}: the first line must name every column, each once; it is {', '.join(header) or 'empty'}")
        for cells in reader:
            if len(cells) not in (0, len(header)):
                raise UsageError(f"{source} line {reader.line_num}: {len(cells)} cells, and {len(header)} columns in the first line")
            if cells:
                rows.append(TextRow(dict(zip(header, cells, strict=True)), f"{source} line {reader.line_num}"))
    except csv.Error as error:
        raise UsageError(f"{source} line {reader.line_num}: not valid CSV: {error}") from error
    if not rows:
        raise UsageError(f"{source}: no row below the first line")
    return rows


def _typed(row: TextRow, spec: SignatureSpec) -> dict[str, Any]:
    """Cells in the types of the signature. An empty one is missing."""
    values: dict[str, Any] = {}
    for name, cell in row.items():
        kind = BY_NAME[spec.inputs[name].dtype].numpy.kind if spec.inputs[name].dtype in BY_NAME else "O"
        if kind == "O":
            values[name] = cell
            continue
        try:
            values[name] = _parsed(cell.strip(), kind)
        except (ValueError, KeyError, OverflowError) as error:
            what = {"b": "true or false", "f": "a number"}.get(kind, "a whole number")
            raise UsageError(f"{row.place}: {name}: {cell!r} is not {what}") from error
    return values


def _parsed(cell: str, kind: str) -> Any:
    if not cell:
        return None
    if kind == "b":
        return _TRUTH[cell.lower()]
    if kind not in "iu":
        return float(cell)
    try:
        return int(cell)
    except ValueError:
        # A column of whole numbers with gaps is often written as 1.0.
        if not float(cell).is_integer():
            raise
        return int(float(cell))


def _nested(name: str, values: list[Any], tensor: TensorSpec) -> Array:
    """Rows that are lists: [rows, ...]."""
    if None in values:
        raise UsageError(f"{name}: a column of lists has no sign for a missing value; give it in every row")
    shape = ["rows", *("any" if size is None else str(size) for size in (tensor.shape or ())[1:])]
    try:
        array = cast(np.array(values), tensor.dtype)
    except ValueError as error:
        raise UsageError(f"{name}: not an array [{', '.join(shape)}] of {tensor.dtype}: {error}") from error
    if array.ndim != len(shape):
        raise UsageError(f"{name}: not an array [{', '.join(shape)}] of {tensor.dtype}, but one of {array.ndim} dimensions")
    return array


def _column(name: str, values: list[Any], kind: np.dtype[Any]) -> Array:
    if kind.kind == "O":
        wrong = next((value for value in values if not isinstance(value, str | bytes)), None)
        if wrong is not None:
            raise UsageError(f"{name}: {wrong!r} is not a text")
        return np.array([value.encode() if isinstance(value, str) else value for value in values], object)
    for value in values:
        if kind.kind == "b":
            if not isinstance(value, bool):
                raise UsageError(f"{name}: {value!r} is not true or false")
            continue
        fits = isinstance(value, int) or (kind.kind == "f" and isinstance(value, float) and not math.isinf(value))
        if not fits or isinstance(value, bool):
            raise UsageError(f"{name}: {value!r} is not {'a number' if kind.kind == 'f' else 'a whole number'}")
    try:
        with np.errstate(over="raise"):
            return np.array(values, kind)
    except (FloatingPointError, OverflowError) as error:
        raise UsageError(f"{name}: {values!r} does not fit {kind.name}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return [_plain(part) for part in value] if isinstance(value, list) else value
