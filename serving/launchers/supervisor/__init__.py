"""Runs a program for as long as the process that started this one lives, and removes the launch folder at the end.

    python -m serving.launchers.supervisor PARENT_PID FOLDER PROGRAM [ARGUMENT ...]

It waits for a line on its standard input first: the parent starts it, then makes the folder, then says so, and may be killed at any
of these moments. ``""`` as the folder means that there is none.

The program itself need not know of any of this. Whoever is killed, also by kill -9, nothing stays: with the parent gone this ends the
program's process group and the folder; with this gone the kernel ends the program (Linux), and the parent removes the folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving.server import orphan

CANNOT_START = 127  # as a shell says it
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 12.0  # more than our own server's
_SET_PARENT_DEATH_SIGNAL = 1


class _Told:
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        self.to_end = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self.to_end = True


def main(arguments: list[str]) -> int:
    """Run the program; its exit code, or 128 and the signal's number."""
    parent, folder, command = int(arguments[0]), arguments[1], arguments[2:]
    told = _Told()
    try:
        if not sys.stdin.readline():
            return 1
        return _run(command, lambda: os.getppid() != parent, told)
    finally:
        if folder:
            orphan.remove_directory(Path(folder))
            with contextlib.suppress(OSError):
                Path(folder).rmdir()  # only just made, and not marked yet


def _run(command: list[str], orphaned: Callable[[], bool], told: _Told) -> int:
    try:
        # This process has one thread, so a function between fork and exec is safe.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with(os.getpid()))
    except OSError as error:
        _say(f"{command[0]} cannot be started: {error.strerror or error}")
        return CANNOT_START
    asked_at: float | None = None
    try:
        while child.poll() is None and not orphaned():
            if told.to_end and asked_at is None:
                asked_at = time.monotonic()
                child.terminate()
            if asked_at is not None and time.monotonic() > asked_at + _GRACE_SECONDS:
                break
            time.sleep(_POLL_SECONDS)
    finally:
        # Also what it started itself and left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    if code < 0 and asked_at is None:
        _say(f"{command[0]} was ended by signal {-code} ({signal.strsignal(-code)})")
    return code if code >= 0 else 128 - code


def _end_with(supervisor: int) -> Callable[[], None] | None:
    """What the child does before it becomes the program: it asks the kernel to be killed when its parent goes."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)

    return ask


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
