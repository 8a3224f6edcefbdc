"""One function for each thing the infra gate checks; each gives the reasons against the candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.golden import GoldenRequest
from serving.verdict import Reason

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Answer:
    """What a server said to a golden request: outputs by name, or the text of its refusal."""

    transport: str
    request: GoldenRequest
    outputs: Mapping[str, Array] | None
    error: str | None = None


def loads(load_error: str | None) -> list[Reason]:
    """The server could load the model."""
    return [Reason("not_loadable", f"the model server cannot load the model: {load_error}")] if load_error else []


def loads_in_time(load_seconds: float | None, limit: float) -> list[Reason]:
    """It became available within the limit, in seconds."""
    if load_seconds is None or load_seconds <= limit:
        return []
    return [Reason("slow_load", f"loading took {load_seconds:.1f} s; allowed {limit:g} s", round(load_seconds, 2), limit)]


def has_golden(requests: int) -> list[Reason]:
    """There is something to ask: a gate without questions would let everything pass."""
    return (
        [] if requests else [Reason("no_golden_requests", "the model carries no golden requests, so its answers cannot be checked", 0, 1)]
    )


def answers(answer: Answer) -> list[Reason]:
    """The server answered at all."""
    if answer.error is None:
        return []
    where = f"{answer.request.signature} over {answer.transport}"
    return [Reason("no_answer", f"{where}: {answer.error}")]


def agrees(answer: Answer, tolerance: float) -> list[Reason]:
    """The answer is the trainer's own: same outputs, shapes and texts; numbers within the tolerance, absolute or relative."""
    if answer.outputs is None:
        return []
    where = f"{answer.request.signature} over {answer.transport}"
    expected = answer.request.outputs
    if set(answer.outputs) != set(expected):
        return [
            Reason("other_outputs", f"{where}: outputs are {sorted(answer.outputs)}", str(sorted(answer.outputs)), str(sorted(expected)))
        ]
    reasons = []
    for name, right in sorted(expected.items()):
        reasons += _compare(f"{where}: {name}", np.asarray(answer.outputs[name]), right, tolerance)
    return reasons


def finite(request: GoldenRequest) -> list[Reason]:
    """The trainer's own answers are numbers: a model that gives NaN agrees with itself and is still broken."""
    broken = [name for name, value in sorted(request.outputs.items()) if value.dtype.kind == "f" and not np.isfinite(value).all()]
    return [Reason("not_finite", f"{request.signature}: {name} is NaN or infinite in the trainer's own answer") for name in broken]


def _compare(what: str, got: Array, right: Array, tolerance: float) -> list[Reason]:
    if got.shape != right.shape:
        return [Reason("other_shape", f"{what} has shape {list(got.shape)}", str(list(got.shape)), str(list(right.shape)))]
    if _is_text(got) != _is_text(right):
        return [Reason("other_type", f"{what} is of type {got.dtype.name}", got.dtype.name, right.dtype.name)]
    if _is_text(right):
        differ = [index for index, (a, b) in enumerate(zip(got.ravel(), right.ravel(), strict=True)) if _bytes(a) != _bytes(b)]
        if not differ:
            return []
        first = differ[0]
        message = f"{what} of row {first} is {got.ravel()[first]!r}, the trainer said {right.ravel()[first]!r}"
        return [Reason("other_answer", message, len(differ), 0)]
    if not np.isfinite(got.astype(float)).all():
        return [Reason("not_finite", f"{what} is NaN or infinite", str(got.ravel()[~np.isfinite(got.astype(float).ravel())][0]), "finite")]
    distance = np.abs(got.astype(float) - right.astype(float)) / np.maximum(1.0, np.abs(right.astype(float)))
    worst = float(distance.max(initial=0.0))
    if worst <= tolerance:
        return []
    row = int(np.argmax(distance.reshape(len(distance), -1).max(axis=1))) if distance.ndim else 0
    message = f"{what} of row {row} is {worst:.3g} away from the trainer's answer; allowed {tolerance:g}"
    return [Reason("other_answer", message, worst, tolerance)]


def _is_text(array: Array) -> bool:
    return array.dtype.kind in "OSU"


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)  # type: ignore[call-overload]
