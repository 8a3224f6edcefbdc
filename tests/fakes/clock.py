"""A clock that stands still until it is moved."""

from __future__ import annotations


class FakeClock:
    """Seconds, as time.monotonic gives them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
