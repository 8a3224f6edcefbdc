"""A signal ends the process also at the worst of moments."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from serving.server.signals import end_on_signals, wait_for_end


@pytest.fixture(autouse=True)
def handlers_of_before() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_the_main_thread_holds_the_events_lock_blocks_nobody(number):
    stop = threading.Event()
    end_on_signals(stop, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    with stop._cond:  # where the main thread is for a moment in each wait
        os.kill(os.getpid(), number)
    assert stop.wait(10)


def test_an_end_that_woke_nobody_is_seen_at_the_next_look():
    class Asleep(threading.Event):
        """An event whose waiters are never woken, as by a signal that came too early."""

        def set(self) -> None:
            self._flag = True

    stop = Asleep()
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    assert wait_for_end(stop)
    timer.join()


def test_a_wait_with_an_end_of_its_own_says_that_nothing_came():
    assert not wait_for_end(threading.Event(), 0.01)
