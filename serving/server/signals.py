"""Ends a process on SIGTERM and SIGINT, whenever they come."""

from __future__ import annotations

import _thread
import signal
import threading

_LOOK_SECONDS = 0.5


def end_on_signals(stop: threading.Event) -> None:
    """Have `stop` set by SIGTERM and SIGINT. Only the main thread may call this."""

    def handle(*_: object) -> None:
        # The handler runs between any two steps of the main thread, perhaps while that holds the lock of `stop`: another thread can wait.
        _thread.start_new_thread(stop.set, ())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def wait_for_end(stop: threading.Event) -> None:
    """Wait until `stop` is set.

    Looks up now and then: a signal that arrives just before the main thread goes to sleep does not wake it.
    """
    while not stop.wait(_LOOK_SECONDS):
        pass
