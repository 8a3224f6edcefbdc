"""When a call is tried again, and when its time is up. Steps without I/O: whoever runs them sends and waits.

A generator and not `tenacity` or gRPC's own ``retryPolicy``: one policy for both transports and both styles, bounded by one deadline.
gRPC's never retries a message above 256 KiB (a photo is larger), stops at five tries, and gives up while its channel waits to reconnect.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from serving.errors import Unavailable
from serving.protocol.status import Code

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class Send:
    """Send this call and give its answer back, or throw its PredictError, within so many seconds."""

    call: Any
    seconds: float


@dataclass(frozen=True)
class Wait:
    """Let so many seconds pass."""

    seconds: float


Steps = Generator[Send | Wait, Any, T]


class ConnectionLost(Unavailable):
    """The connection went while the answer was awaited: the call may have run, and is not tried again."""


class Deadline:
    """The time that a whole call has, from now on."""

    def __init__(self, seconds: float, clock: Callable[[], float], who: str) -> None:
        self._seconds, self._clock, self._who = seconds, clock, who
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds, above 0. Raises Unavailable (DEADLINE_EXCEEDED) when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise Unavailable(f"{self._who} did not answer within {self._seconds:g} s", code=Code.DEADLINE_EXCEEDED.name)
        return left

    def allows(self, seconds: float) -> bool:
        """Is there time for a pause, and something left after it?"""
        return self._clock() + seconds < self._end


def asked(call: Any, retries: int, deadline: Deadline, chance: Callable[[], float]) -> Steps[Any]:
    """The answer to a call. Only UNAVAILABLE is tried again: nothing else is sure to be over, or to end otherwise.

    ``chance`` gives numbers of [0, 1): clients that were turned away together do not come back together.
    """
    for retry in range(retries + 1):
        try:
            return (yield Send(call, deadline.left()))
        except Unavailable as error:
            pause = pause_seconds(retry, chance())
            lost = error.code != Code.UNAVAILABLE.name or isinstance(error, ConnectionLost)
            if lost or retry == retries or not deadline.allows(pause):
                raise
        yield Wait(pause)
    raise AssertionError("the last try returns or raises")


def pause_seconds(retry: int, chance: float) -> float:
    """Before the first retry (0) 0.1 to 0.2 s, then twice as long each time, 1 to 2 s at most."""
    return min(FIRST_PAUSE_SECONDS * 2.0**retry, LONGEST_PAUSE_SECONDS) * (0.5 + chance / 2)
