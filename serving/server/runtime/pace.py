"""How fast a way of calling a model is, told from the calls so far: decides whether a call is worth a thread of its own."""

from __future__ import annotations

QUICK_SECONDS = 0.002
_SLOW_SECONDS = 0.006
_ENOUGH = 16
_MOST = 64


class Pace:
    """Quick after `_ENOUGH` calls of under two milliseconds; no longer after one that was clearly slow.

    Unguarded by a lock on purpose: a lost update costs nothing but one more call to find out.
    """

    __slots__ = ("_score",)

    def __init__(self) -> None:
        self._score = 0

    @property
    def quick(self) -> bool:
        """Is it expected to be over before a thread could have been asked?"""
        return self._score >= _ENOUGH

    def saw(self, seconds: float) -> None:
        """Note how long a call took."""
        if seconds < QUICK_SECONDS:
            self._score = min(self._score + 1, _MOST)
        elif seconds > _SLOW_SECONDS:
            self._score = max(self._score - _MOST // 2, -_MOST)
