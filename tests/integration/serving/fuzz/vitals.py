"""What a server process holds: descriptors, threads, memory; and whether its log tells of a fault."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psutil

from serving.launchers.readiness import wait_for
from tests.integration.serving.server_process import ServerProcess

_FAULTS = re.compile(r"Traceback \(most recent call last\)|Exception|Segmentation|core dumped|Check failed|Fatal|never awaited")


# gRPC's core and TensorFlow keep a thread or a timer's descriptor more or less, at times of their own choice.
_SLACK_DESCRIPTORS, _SLACK_THREADS = 3, 4


@dataclass(frozen=True)
class Vitals:
    """A look at a process. ``memory`` in bytes, resident."""

    descriptors: int
    threads: int
    memory: int


def look(server: ServerProcess) -> Vitals:
    """What it holds now. Raises AssertionError when it has ended."""
    assert server.process.poll() is None, f"the server ended with {server.process.poll()}:\n{server.log.read_text()[-3000:]}"
    process = psutil.Process(server.process.pid)
    return Vitals(process.num_fds(), process.num_threads(), process.memory_info().rss)


def wait_until_back(server: ServerProcess, before: Vitals, seconds: float = 20) -> Vitals:
    """Wait until it holds no more descriptors and threads than before: a closed connection is noticed a little later."""

    def back() -> Vitals | None:
        now = look(server)
        few = now.descriptors <= before.descriptors + _SLACK_DESCRIPTORS and now.threads <= before.threads + _SLACK_THREADS
        return now if few else None

    return wait_for(back, server.process.poll, what=f"it was back at {before}", deadline_seconds=seconds, logs=lambda: str(look(server)))


def faults(server: ServerProcess, since: int = 0) -> list[str]:
    """Lines of its log, from this byte on, that no request may cause."""
    text = server.log.read_bytes()[since:].decode(errors="replace")
    return [line for line in text.splitlines() if _FAULTS.search(line)]
