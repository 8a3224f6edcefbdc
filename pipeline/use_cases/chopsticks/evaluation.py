"""Requests that every chopsticks model must answer as its trainer did, edge cases among them."""

from __future__ import annotations

from typing import Any

GOLDEN_ROWS: list[dict[str, Any]] = [
    {"individual": 1, "chopstick_length": 180.0},
    {"individual": 1, "chopstick_length": 240.0},
    {"individual": 1, "chopstick_length": 330.0},
    {"individual": 31, "chopstick_length": 242.5},
    # People nobody has seen, at the ends of what a number can be.
    {"individual": 999_999, "chopstick_length": 240.0},
    {"individual": 0, "chopstick_length": 330.0},
    {"individual": -(2**63), "chopstick_length": 240.0},
    # Lengths nobody can hold.
    {"individual": 2, "chopstick_length": 0.0},
    {"individual": 2, "chopstick_length": -1e30},
    {"individual": 2, "chopstick_length": 3e38},
    # One or the other is not told, or neither.
    {"individual": None, "chopstick_length": 240.0},
    {"individual": 3, "chopstick_length": None},
    {"individual": None, "chopstick_length": None},
]
