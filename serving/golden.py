"""Golden requests: inputs with the answers the trainer's own process gave, as a JSON file inside the version."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.errors import ModelLoadError

Array = np.ndarray[Any, Any]
GOLDEN = "assets.extra/golden.json"
FORMAT = 1


@dataclass(frozen=True)
class GoldenRequest:
    """One request: arrays by name, for one signature, with the outputs that are right."""

    signature: str
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]


def dump(requests: Sequence[GoldenRequest]) -> dict[str, Any]:
    """Plain JSON values; bytes as base64, NaN and infinities as texts, so that the file is strict JSON."""
    return {
        "format": FORMAT,
        "requests": [
            {"signature": request.signature, "inputs": _arrays(request.inputs), "outputs": _arrays(request.outputs)} for request in requests
        ],
    }


def read(model_dir: Path) -> list[GoldenRequest]:
    """The golden requests of a model; empty where it has none.

    Raises:
        ModelLoadError: the file is there and cannot be read.
    """
    path = model_dir / GOLDEN
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [
            GoldenRequest(
                request["signature"],
                {name: _array(value) for name, value in request["inputs"].items()},
                {name: _array(value) for name, value in request["outputs"].items()},
            )
            for request in content["requests"]
        ]
    except FileNotFoundError:
        return []
    except (OSError, AttributeError, ValueError, KeyError, TypeError) as error:
        raise ModelLoadError(f"{path}: not a file of golden requests: {error}") from error


def _arrays(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: {"dtype": _dtype_name(value), "shape": list(value.shape), "values": _values(value)} for name, value in arrays.items()}


def _dtype_name(array: Array) -> str:
    return "bytes" if array.dtype.kind in "OSU" else array.dtype.name


def _values(array: Array) -> list[Any]:
    flat = array.ravel().tolist()
    if array.dtype.kind in "OSU":
        return [base64.b64encode(value.encode() if isinstance(value, str) else value).decode() for value in flat]
    if array.dtype.kind == "f":
        return [value if np.isfinite(value) else str(value) for value in flat]
    return list(flat)


def _array(content: Mapping[str, Any]) -> Array:
    if content["dtype"] == "bytes":
        flat = np.array([base64.b64decode(value) for value in content["values"]], object)
    else:
        flat = np.array([float(value) if isinstance(value, str) else value for value in content["values"]], content["dtype"])
    return flat.reshape(content["shape"])
