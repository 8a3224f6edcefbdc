"""California housing as rows of this use case's columns, through scikit-learn's loader, which downloads them once."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from configs.errors import UsageError
from pipeline.use_cases.housing.features import INPUTS, RAW_LABEL

# What the loader's columns mean here; every other column of ours has no counterpart there and stays empty.
_ROOMS, _AGE, _INCOME = "AveRooms", "HouseAge", "MedInc"
# The loader gives values in 100,000 dollars, the use case has them in 1000.
_THOUSANDS = 100.0


def write_california(path: Path, fetch: Callable[[], Any] | None = None) -> int:
    """Write California's block groups as a CSV that ``sluiceway run housing --data`` takes; gives the number of rows.

    RM is the average rooms of a household, AGE the median age of the houses in years, MEDV the median value in 1000 dollars. LSTAT, which
    rises where people are poorer, is the percentage of block groups with a higher median income. The other columns are empty.

    Args:
        path: of the CSV.
        fetch: what gives scikit-learn's bunch with ``data``, ``feature_names`` and ``target``; None means scikit-learn's own loader.

    Raises:
        UsageError: the rows cannot be had (there is no internet, or no scikit-learn), are not what we know, or cannot be written.
    """
    rows = list(california_rows((fetch or _fetch)()))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([[*INPUTS, RAW_LABEL], *rows])
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return len(rows)


def california_rows(bunch: Any) -> Iterator[list[str]]:
    """Texts in the order of ``INPUTS``, then the label's. Raises UsageError where a column is missing."""
    names = list(bunch.feature_names)
    missing = [name for name in (_ROOMS, _AGE, _INCOME) if name not in names]
    if missing:
        raise UsageError(f"California housing came without {', '.join(missing)}; it has: {', '.join(names)}")
    columns = {name: [float(row[names.index(name)]) for row in bunch.data] for name in (_ROOMS, _AGE, _INCOME)}
    poverty = _share_above(columns[_INCOME])
    for rooms, age, poorer, value in zip(columns[_ROOMS], columns[_AGE], poverty, bunch.target, strict=True):
        known = {"RM": rooms, "AGE": age, "LSTAT": poorer, RAW_LABEL: float(value) * _THOUSANDS}
        yield [f"{known[name]:.6g}" if name in known else "" for name in (*INPUTS, RAW_LABEL)]


def _share_above(values: Sequence[float]) -> list[float]:
    """For each value the percentage of all that are greater."""
    if not values or not all(map(math.isfinite, values)):
        raise UsageError("California housing came without rows, or with incomes that are not numbers")
    first: dict[float, int] = {}
    for place, value in enumerate(sorted(values, reverse=True)):
        first.setdefault(value, place)
    return [100.0 * first[value] / len(values) for value in values]


def _fetch() -> Any:
    try:
        from sklearn.datasets import fetch_california_housing
    except ImportError as error:
        raise UsageError("California housing comes through scikit-learn, which is not installed; pip install scikit-learn") from error
    try:
        return fetch_california_housing()
    except OSError as error:  # URLError and a broken archive among them
        raise UsageError(f"California housing cannot be downloaded here: {error}; make the CSV where there is internet") from error
