"""Requests that every housing model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

from typing import Any

# Near the middle of the training rows in every column.
_DISTRICT: dict[str, Any] = {
    "CRIM": 0.26,
    "ZN": 0.0,
    "INDUS": 9.7,
    "CHAS": 0,
    "NOX": 0.54,
    "RM": 6.2,
    "AGE": 77.0,
    "DIS": 3.2,
    "RAD": 5,
    "TAX": 330.0,
    "PTRATIO": 19.0,
    "LSTAT": 11.4,
}

GOLDEN_ROWS: list[dict[str, Any]] = [
    _DISTRICT,
    # Larger homes, and smaller ones among poorer neighbours.
    {**_DISTRICT, "RM": 7.8, "LSTAT": 4.0},
    {**_DISTRICT, "RM": 5.2, "LSTAT": 24.0, "CRIM": 9.0, "RAD": 24, "TAX": 666.0, "PTRATIO": 20.2},
    # At the river.
    {**_DISTRICT, "CHAS": 1},
    # What only a careful survey knows is missing.
    {**_DISTRICT, "CRIM": None, "NOX": None, "DIS": None, "CHAS": None},
    # Values beyond any training row.
    {**_DISTRICT, "CRIM": 1e6, "RM": 90.0, "TAX": 1e9, "LSTAT": 100.0, "RAD": 2**40},
    {**_DISTRICT, "CRIM": -5.0, "RM": -1e30, "DIS": -100.0},
    # Nothing but zeros.
    dict.fromkeys(_DISTRICT, 0),
    # Nothing known at all: the answer for an average district.
    dict.fromkeys(_DISTRICT),
]
