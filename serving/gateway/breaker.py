"""When a failing upstream is left alone. Pure but for the clock that it is given.

closed --failures in a row--> open --open_seconds--> half open --one success--> gone
                                ^                        |
                                +-------- failure -------+
"""

from __future__ import annotations

from collections.abc import Callable

from configs.gateway import Breaker


class CircuitBreaker:
    """That of one model on one server; after a success it is thrown away. Belongs to one event loop: nothing here waits or locks."""

    def __init__(self, limits: Breaker, now: Callable[[], float]) -> None:
        """``now``: seconds of a clock that never goes back."""
        self.limits = limits
        self._now = now
        self._failures = 0
        self._open_until: float | None = None
        self._trial = False

    @property
    def is_open(self) -> bool:
        """Whether the upstream is being left alone, a trial or not."""
        return self._open_until is not None

    def seconds_left(self) -> float:
        """0 when a request may be sent now, else how long not."""
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._now()
        return left if left > 0 else self.limits.open_seconds if self._trial else 0.0

    def sent(self) -> None:
        """A request goes out; of an open one, it is the trial."""
        self._trial = self.is_open

    def failed(self) -> None:
        """The server could not be reached, or failed."""
        self._failures += 1
        if self._trial or self._failures >= self.limits.failures:
            self._open_until, self._trial = self._now() + self.limits.open_seconds, False

    def abandoned(self) -> None:
        """Nobody waits for the answer any more, so nothing was learnt."""
        self._trial = False
