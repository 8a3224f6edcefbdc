"""How the answers of two versions to the same request differ. Pure: for the shadow's record and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Difference:
    """Of two answers. ``same``: within the tolerance; ``largest``: between two numbers of one place; ``changed``: rows of other texts."""

    same: bool
    largest: float = 0.0
    changed: int = 0
    rows: int = 0
    reason: str = ""


def differ(one: Mapping[str, Array], other: Mapping[str, Array], tolerance: float) -> Difference:
    """Hold two answers against each other.

    Args:
        one: outputs by name, first axis the rows; texts are objects of type bytes.
        tolerance: numbers that differ by no more, absolutely or relative to the larger one, are the same; NaN is NaN.
    """
    if one.keys() != other.keys():
        return Difference(False, reason=f"outputs {', '.join(sorted(one))} against {', '.join(sorted(other))}")
    largest, rows, near = 0.0, max((len(array) for array in one.values() if array.ndim), default=1), True
    changed: set[int] = set()
    for name, array in one.items():
        second = other[name]
        if array.shape != second.shape or (array.dtype.kind == "O") != (second.dtype.kind == "O"):
            return Difference(False, rows=rows, reason=f"{name}: shape {list(array.shape)} against {list(second.shape)}")
        if array.size == 0:
            continue
        if array.dtype.kind in "Ob":
            unequal = array != second
            changed |= {int(place[0]) if place.size else 0 for place in np.argwhere(unequal)}
            continue
        gap, close = _gap(array, second, tolerance)
        largest, near = max(largest, gap), near and close
    return Difference(near and not changed, largest, len(changed), rows)


def _gap(one: Array, other: Array, tolerance: float) -> tuple[float, bool]:
    """The largest gap between two numbers of one place, and whether all of them are within the tolerance."""
    kind = complex if "c" in (one.dtype.kind, other.dtype.kind) else float
    first, second = np.atleast_1d(one.astype(kind)), np.atleast_1d(other.astype(kind))
    equal = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.where(equal, 0.0, np.abs(first - second))
        allowed = tolerance * np.maximum(1.0, np.maximum(np.abs(first), np.abs(second)))
        # A number and an infinite one are never near, whatever is relative to infinity.
        close = equal | (np.isfinite(gaps) & (gaps <= allowed))
    return float(np.max(np.nan_to_num(gaps, nan=np.inf, posinf=np.inf))), bool(np.all(close))
