"""Servers as child processes of which nothing is left: not after an answer, not after an interruption, not when one of them forks away."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
GENTLE = 20.0
"""Seconds a server may take to end by itself; Ray needs most of them."""


class Running:
    """A server that was started, and the end of what it printed."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    def ended(self) -> int | None:
        """Its exit code once it is gone, else None."""
        return self._process.poll()

    def last_words(self, lines: int = 8) -> str:
        """The end of its output."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.rstrip().splitlines()[-lines:])


def adopt_orphans() -> None:
    """From now on what our children leave behind becomes our child, not init's: HAProxy under Ray goes its own way at each reload."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_when_told() -> None:
    """SIGTERM ends this program like an exception, so that servers are stopped on the way out."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[Running]:
    """The command in a session of its own, in a folder where its output goes to log.txt; ended with all its descendants."""
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the server to end, then makes it and every process that came from it end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GENTLE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        left = psutil.Process().children(recursive=True)
        for one in left:
            try:
                ask(one)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=3)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
