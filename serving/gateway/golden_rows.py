"""Rows to fill a form with: some of the golden requests that were published with a version, as JSON. Pure but for `read_rows`."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving import golden
from serving.errors import ModelLoadError
from serving.golden import GoldenRequest
from serving.protocol.json_arrays import Array

_MOST = 3
# Of one value: they are shown to a person.
_LARGEST_BYTES = 64 * 1024


def read_rows(version: Path, form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a version's folder; none where there are no golden requests, or none that can be read."""
    try:
        return rows(golden.read(version), form)
    except ModelLoadError:
        return []


def rows(requests: Sequence[GoldenRequest], form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """At most three rows for a form, each ``{name of a field: JSON value}``. Rows that cannot be shown are left out.

    Args:
        form: as `serving.gateway.forms.form` makes it.
    """
    kinds = {field["name"]: field["kind"] for field in form["fields"]}
    request = next((found for found in requests if found.signature == form["signature"]), None)
    if request is None or kinds.keys() != request.inputs.keys() or any(array.ndim == 0 for array in request.inputs.values()):
        return []
    shown: list[dict[str, Any]] = []
    for number in range(min(map(len, request.inputs.values()))):
        try:
            shown.append({name: _value(request.inputs[name][number], kind) for name, kind in kinds.items()})
        except ValueError:
            continue
        if len(shown) == _MOST:
            break
    return shown


def _value(value: Any, kind: str) -> Any:
    """Raises ValueError for a value that is no text, or too large to be shown."""
    if isinstance(value, bytes):
        if len(value) > _LARGEST_BYTES:
            raise ValueError("too large")
        return {"b64": base64.b64encode(value).decode("ascii")} if kind == "image" else value.decode("utf-8")
    array = np.asarray(value)
    if array.nbytes > _LARGEST_BYTES:
        raise ValueError("too large")
    return _numbers(array)


def _numbers(array: Array) -> Any:
    if array.ndim:
        return [_numbers(part) for part in array]
    if array.dtype.kind != "f":
        return array.item()
    # By its own digits: 12.3 as a float32 is not 12.300000190734863.
    number = float(str(array[()]))
    return number if math.isfinite(number) else "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
