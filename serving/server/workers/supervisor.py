"""Starts the workers of a server, keeps their number, speaks for all of them, and ends them.

STARTING ──"listening"──> LISTENING ──exit──> starts again, after a pause that grows
    └──"failed" or exit, while the server itself starts──> the server does not start
"""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from configs.errors import SluicewayError
from serving.protocol.status import Code, StatusError
from serving.server import prometheus
from serving.server.flags import Flags
from serving.server.manager import StartFailed
from serving.server.ports import Ports, announce, ports_of, reserved
from serving.server.signals import end_on_signals, wait_for_end
from serving.server.workers import merge
from serving.server.workers.channel import Channel
from serving.server.workers.member import from_plain, to_plain

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0
_STEADY_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_PATIENCE_SECONDS = 5.0  # beyond the grace that the workers give their requests
# Codes of a reload that changed nothing; after any other the new models are in force.
_REFUSED = frozenset((Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED))


class Worker:
    """One process and the way to talk to it. ``reload``: the number of the last reload that it knows of."""

    def __init__(self, command: Sequence[str], reload: int, answer: Callable[[Worker, str, Any], Any]) -> None:
        self.reload = reload
        ours, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                [*command, f"--control={theirs.fileno()}"], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.started = time.monotonic()
        self.listening = threading.Event()
        self.failure: str | None = None
        self.channel = Channel(ours, lambda what, about: answer(self, what, about))


class Supervisor:
    """All workers of one server."""

    def __init__(self, flags: Flags, arguments: Sequence[str]) -> None:
        """``arguments``: the command line that `flags` were read from; every worker gets the same."""
        self._flags, self._arguments = flags, list(arguments)
        self._stop = threading.Event()
        self._workers: list[Worker] = []
        self._reloading = threading.Lock()
        # Of the last reload by request that is in force, and its number: a worker that starts again must not go back to the flags.
        self._config: bytes | None = None
        self._config_number = self._reloads = 0
        # The last list that flags or config file put in force, for the same worker: the file may be broken by then.
        self._serving: Any = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises SluicewayError when the server cannot start."""
        end_on_signals(self._stop)
        with reserved(self._flags.bind, ports_of(self._flags)) as ports:
            keepers: list[threading.Thread] = []
            try:
                self._workers = [self._start(ports) for _ in range(self._flags.workers)]
                if not self._all_listening():
                    return
                if self._flags.ports_file is not None:
                    announce(self._flags.ports_file, ports)
                log.info("%d workers listen: gRPC on port %s, REST on port %s", len(self._workers), ports.grpc, ports.rest)
                keepers = [threading.Thread(target=self._keep, args=(index, ports)) for index in range(len(self._workers))]
                for keeper in keepers:
                    keeper.start()
                wait_for_end(self._stop)
            finally:
                self._stop.set()
                for keeper in keepers:
                    keeper.join()
                self._end()

    def _start(self, ports: Ports, *, again: bool = False) -> Worker:
        with self._reloading:
            config, number, serving = self._config, self._config_number, self._serving
        about = {"grpc": ports.grpc, "rest": ports.rest, "config": _text(config), "serving": serving, "again": again}
        command = [sys.executable, "-m", "serving.server.workers", json.dumps(about), *self._arguments, f"--parent_pid={os.getpid()}"]
        try:
            return Worker(command, number, self._answer)
        except OSError as error:
            raise SluicewayError(f"a worker process cannot be started: {error}") from error

    def _all_listening(self) -> bool:
        """Wait for it; False when told to stop meanwhile. Raises StartFailed."""
        for worker in self._workers:
            while not worker.listening.wait(0.05):
                if self._stop.is_set():
                    return False
                failed = next((one for one in self._workers if one.failure is not None or one.process.poll() is not None), None)
                if failed is not None:
                    raise StartFailed(failed.failure or f"a worker process ended with code {failed.process.wait()}; its log says why")
        return True

    def _keep(self, index: int, ports: Ports) -> None:
        """Start a worker again whenever it has ended, until the server stops."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._stop.wait(0.05):
            worker = self._workers[index]
            code = worker.process.poll()
            if code is None:
                continue
            worker.channel.close()
            if time.monotonic() - worker.started > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            why = f": {worker.failure}" if worker.failure is not None else ""
            log.error(
                "worker %d (process %d) ended with code %d%s; starting it again in %.1f s", index, worker.process.pid, code, why, pause
            )
            if self._stop.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                self._workers[index] = self._start(ports, again=True)
            except SluicewayError as error:
                log.error("%s", error)

    def _end(self) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        until = time.monotonic() + self._flags.drain_seconds + _PATIENCE_SECONDS
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.channel.close()

    def _answer(self, worker: Worker, what: str, about: Any) -> Any:
        if what == "listening":
            return self._welcome(worker)
        if what == "serving":
            with self._reloading:
                self._serving = about
            return None
        if what == "failed":
            worker.failure = str(about)
            return None
        if what == "reload":
            return self._reload(about)
        answers = _collect([one.channel.begin(what, about) for one in self._at_work()], what, _ANSWER_SECONDS)
        if what == "statuses":
            merged = merge.statuses([[from_plain(plain) for plain in answer] for answer in answers])
            return [to_plain(status) for status in merged]
        if what == "metrics":
            return prometheus.merge(answers)
        return next((reason for reason in answers if reason is not None), None if answers else "no process of the server is ready")

    def _welcome(self, worker: Worker) -> None:
        with self._reloading:
            worker.listening.set()
            self._bring_up_to_date()

    def _reload(self, about: Any) -> None:
        """All hear of reloads in one order; nobody waits for an earlier one, to which this may be the remedy."""
        with self._reloading:
            self._reloads += 1
            number, reached = self._reloads, self._at_work()
            asked = [worker.channel.begin("reload", about) for worker in reached]
            for worker in reached:
                worker.reload = number
        try:
            _collect(asked, "reload", None, every=True)
        except StatusError as error:
            if error.code not in _REFUSED:
                self._keep_config(number, about["config"])
            raise
        self._keep_config(number, about["config"])

    def _keep_config(self, number: int, text: str) -> None:
        with self._reloading:
            if number > self._config_number:
                self._config, self._config_number = base64.b64decode(text), number
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Tell those of the last reload that were still starting when it came."""
        for worker in self._at_work():
            if worker.reload < self._config_number:
                worker.reload = self._config_number
                worker.channel.begin("reload", {"config": _text(self._config), "timeout": None})

    def _at_work(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.listening.is_set() and worker.process.poll() is None]


def _collect(asked: Sequence[Future[Any]], what: str, timeout_seconds: float | None, *, every: bool = False) -> list[Any]:
    """The answers. Raises the StatusError of one when all (or with ``every`` any) of them are none."""
    answers, errors = [], []
    for future in asked:
        try:
            answers.append(Channel.wait(future, what, timeout_seconds))
        except StatusError as error:
            errors.append(error)
    if errors and (every or not answers):
        raise min(errors, key=lambda error: error.code not in _REFUSED)
    return answers


def _text(config: bytes | None) -> str | None:
    return None if config is None else base64.b64encode(config).decode("ascii")
