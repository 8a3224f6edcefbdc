"""Work that gives way: in a thread that the system lets run after all others of this process."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

# A tenth of the share of a thread that answers requests, where both want the same processor. Not the lowest there is: on a server that
# is never idle a new version must still come up.
_NICENESS = 10


def give_way(work: Callable[[], T]) -> T:
    """Do `work`, and return or raise what it does.

    Threads that `work` starts give way as well. It runs in a thread of its own because the way back up needs privileges.
    """
    done: Future[T] = Future()

    def run() -> None:
        if sys.platform == "linux":  # elsewhere niceness is the whole process's
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(_NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 # it belongs to the caller
            done.set_exception(error)

    # A daemon: a load that is under way is not waited for when the server ends.
    threading.Thread(target=run, name=f"{threading.current_thread().name}-aside", daemon=True).start()
    return done.result()
