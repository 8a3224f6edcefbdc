"""How many requests a key may make: a bucket that fills steadily and holds a minute's worth. Pure but for the clock that it is given."""

from __future__ import annotations

from collections.abc import Callable


class TokenBuckets:
    """One bucket for each name. Belongs to one event loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        """``now``: seconds of a clock that never goes back."""
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, per_minute: int) -> float:
        """Take one token. Returns 0.0, or the seconds until there is one."""
        now = self._now()
        tokens, at = self._buckets.get(name, (float(per_minute), now))
        tokens = min(float(per_minute), tokens + (now - at) * per_minute / 60)
        if tokens >= 1:
            self._buckets[name] = (tokens - 1, now)
            return 0.0
        self._buckets[name] = (tokens, now)
        return (1 - tokens) * 60 / per_minute
