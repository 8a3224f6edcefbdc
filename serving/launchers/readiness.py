"""Waiting for a launched server: from its states to ready, refused, died or too late."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from serving.errors import LaunchTimeout, ModelLoadError, ModelNotFound, ServerDied, Unavailable
from serving.protocol.status import State, VersionStatus

T = TypeVar("T")

POLL_SECONDS = 0.02


def judge(statuses: Sequence[VersionStatus]) -> bool:
    """Is a version available? Raises ModelLoadError, with the server's words, when the load has ended without one."""
    if any(status.state is State.AVAILABLE for status in statuses):
        return True
    ended = [status for status in statuses if status.state is State.END]
    if ended and len(ended) == len(statuses):
        raise ModelLoadError(ended[0].message or f"version {ended[0].version} was unloaded")
    return False


def wait_for(
    look: Callable[[], T | None],
    exit_code: Callable[[], int | None],
    *,
    what: str,
    deadline_seconds: float,
    logs: Callable[[], str] = str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    poll_seconds: float = POLL_SECONDS,
) -> T:
    """Call `look` until it gives something other than None, and return that.

    A server that does not answer yet, or does not know the model yet, is looked at again. Raises ServerDied when `exit_code`
    gives a number, LaunchTimeout when the deadline passes, and whatever else `look` raises.
    """
    until = clock() + deadline_seconds
    while True:
        code = exit_code()
        try:
            result = look()
        except (Unavailable, ModelNotFound):
            result = None
        if result is not None:
            return result
        if code is not None:
            raise ServerDied(f"the model server ended with code {code} before {what}{_last_line(logs())}", log_tail=tail(logs()))
        if clock() >= until:
            raise LaunchTimeout(f"{what}: not within {deadline_seconds:g} s{_last_line(logs())}", log_tail=tail(logs()))
        sleep(poll_seconds)


def tail(text: str, lines: int = 30) -> str:
    """The last lines of a log."""
    return "\n".join(text.splitlines()[-lines:])


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
