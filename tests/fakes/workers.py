"""Worker processes without a process: a supervisor that starts them runs in a thread, and the test speaks for each of them."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from serving.server.flags import Flags
from serving.server.workers.channel import Channel
from serving.server.workers.supervisor import Supervisor


class Process:
    """Stands for a worker process: holds the other end of the channel, and answers as the test says."""

    def __init__(self, office: Office, command: Sequence[str], pass_fds: Sequence[int], stdin: int) -> None:
        assert stdin == subprocess.DEVNULL
        self.command, self.pid = list(command), next(office.pids)
        self.about = json.loads(self.command[3])
        (control,) = pass_fds
        assert self.command[-1] == f"--control={control}"
        self.answers: dict[str, Any] = {}
        self.asked: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.ended, self.signals = threading.Event(), list[str]()
        self.stubborn = False
        self.code: int | None = None
        self.channel = Channel(socket.socket(fileno=os.dup(control)), self._answer, self.ended.set)
        office.processes.put(self)

    def _answer(self, what: str, about: Any) -> Any:
        self.asked.put((what, about))
        answer = self.answers[what]
        return answer(about) if callable(answer) else answer

    def listen(self) -> None:
        self.channel.tell("listening")

    def end(self, code: int) -> None:
        """Return as the process would see it: its code is there when its end of the channel is closed."""
        self.code = code
        self.channel.close()

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        if self.code is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        return self.code

    def terminate(self) -> None:
        self.signals.append("terminate")
        if not self.stubborn:
            self.end(0)

    def kill(self) -> None:
        self.signals.append("kill")
        self.end(-9)


class Office:
    """One supervisor at work in a thread, and its processes in the order of their starts."""

    def __init__(self) -> None:
        self.pids = iter(range(1000, 2000))
        self.processes: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self.stop: Callable[..., object] = lambda *_: None
        self.raised: list[Exception] = []
        self._thread = threading.Thread(target=lambda: None)

    def open(self, **flags: Any) -> None:
        self.supervisor = Supervisor(Flags(**{"workers": 2, "port": 0, "drain_seconds": 0.0, **flags}), ["--given=1"])
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except Exception as error:  # noqa: BLE001 - shown to the test
            self.raised.append(error)

    def next(self) -> Process:
        return self.processes.get(timeout=10)

    def both(self, scratch: Path) -> tuple[Process, Process]:
        """Two workers that listen, and a server that has said so."""
        self.open(ports_file=scratch / "ports")
        found = self.next(), self.next()
        for one in found:
            one.listen()
        wait_until(lambda: (scratch / "ports").exists())
        return found

    def close(self) -> None:
        self.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


def wait_until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("not in time")
