"""Rows as a person writes them, to the columns a signature wants, and answers back to rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from configs.errors import UsageError
from configs.paths import expanded
from serving.protocol.dtypes import BY_NAME
from serving.protocol.signature import SignatureSpec

Array = np.ndarray[Any, Any]
# What stands for a missing value where a signature wants every column.
MISSING_INT = -1
_MISSING: dict[str, Any] = {"O": b"", "f": float("nan"), "i": MISSING_INT}


def read_rows(text: str) -> list[Mapping[str, Any]]:
    """A JSON object, a list of them, or ``@file`` with either.

    Raises:
        UsageError: it is none of these.
    """
    source = "the row"
    if text.startswith("@"):
        source = text[1:]
        try:
            text = expanded(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{source}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
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
            raise UsageError(f"row {number}: unknown column {unknown[0]!r}; the model takes: {', '.join(sorted(spec.inputs))}")
    columns = {}
    for name, tensor in spec.inputs.items():
        kind = BY_NAME[tensor.dtype].numpy
        values = [row.get(name, None) for row in rows]
        if kind.kind not in _MISSING and None in values:
            raise UsageError(f"{name}: a {kind.name} column has no sign for a missing value; give it in every row")
        values = [_MISSING[kind.kind] if value is None else value for value in values]
        columns[name] = _column(name, values, kind)
    return columns


def answers_by_row(outputs: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Named arrays [rows, ...] as one plain dictionary for each row."""
    plain = {name: [_plain(value) for value in array.tolist()] for name, array in outputs.items()}
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


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
