"""How many requests a caller may make: a bucket that fills steadily and holds a minute's worth. Pure but for the clock that it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable

# Names may come from tokens, and of those there may be any number.
_MOST = 10_000


class TokenBuckets:
    """One bucket for each caller. Belongs to one event loop."""

    def __init__(self, now: Callable[[], float], most: int = _MOST) -> None:
        """
        Args:
            now: seconds of a clock that never goes back.
            most: how many buckets are kept.
        """
        self._now, self._most = now, most
        # The least recently used first.
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def take(self, caller: Hashable, per_minute: int) -> float:
        """Take one token. Returns 0.0, or the seconds until there is one."""
        now = self._now()
        tokens, at = self._buckets.pop(caller, (float(per_minute), now))
        tokens = min(float(per_minute), tokens + (now - at) * per_minute / 60)
        if len(self._buckets) >= self._most:
            # After a minute's rest a bucket is full, and as good as none. Younger than that it goes only where so many came in a minute.
            del self._buckets[next(iter(self._buckets))]
        is_taken = tokens >= 1
        self._buckets[caller] = (tokens - is_taken, now)
        return 0.0 if is_taken else (1 - tokens) * 60 / per_minute
