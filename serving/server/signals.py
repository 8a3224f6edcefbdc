"""Ends a process on SIGTERM and SIGINT, or other signals, whenever they come."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterable

_LOOK_SECONDS = 0.5


def end_on_signals(stop: threading.Event, numbers: Iterable[int] = (signal.SIGTERM, signal.SIGINT)) -> None:
    """Have `stop` set by signals. Only the main thread may call this."""

    def handle(*_: object) -> None:
        # The handler runs between any two steps of the main thread, perhaps while that holds the lock of `stop`: another thread can wait.
        _thread.start_new_thread(stop.set, ())

    for number in numbers:
        signal.signal(number, handle)


def wait_for_end(stop: threading.Event, seconds: float = float("inf")) -> bool:
    """Wait until `stop` is set, or so long; whether it is set.

    Looks up now and then: a signal that arrives just before the main thread goes to sleep does not wake it.
    """
    until = time.monotonic() + seconds
    while not stop.is_set() and (left := until - time.monotonic()) > 0:
        stop.wait(min(left, _LOOK_SECONDS))
    return stop.is_set()
