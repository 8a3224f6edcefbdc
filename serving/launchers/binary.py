"""Boots a model server that is installed here, TF Serving's ``tensorflow_model_server``, as a child process.

    <temporary directory>/sluiceway-launch-*/
      .sluiceway-launch        marks the directory as one that may be deleted
      models/<model>/1         link to the model directory

The log is a temporary file without a name: it is gone with the last process that has it open.

TF Serving watches nobody and cleans nothing up, so a supervisor stands between. It also has no flag for the address it listens on: for
the seconds of a launch its ports are open on every interface of the machine (our own server, under this name, stays on the loopback).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import psutil

from serving.errors import LaunchError, ServerDied
from serving.launchers import readiness
from serving.launchers.child import child_environment
from serving.launchers.ports import HOST, ReservedPorts
from serving.launchers.target import Target
from serving.launchers.upstream import UpstreamLauncher, UpstreamServer, load_flags
from serving.server.orphan import MARKER

_STOP_SECONDS = 20.0  # more than the supervisor's own grace


class BinaryLauncher(UpstreamLauncher):
    """A `Launcher` of a program found on PATH, or given by its path."""

    def check(self) -> None:
        """See `Launcher.check`."""
        self._program()

    def _server(self, model_dir: Path, model_name: str) -> BinaryServer:
        return BinaryServer(self.target, self._program(), model_dir, model_name)

    def _program(self) -> str:
        program = shutil.which(Path(self.target.what).expanduser())
        if program is None:
            raise LaunchError(
                f"{self.target.what}: no such program; install TF Serving's tensorflow_model_server, give its path "
                "(launchers.binary.path), or choose another launcher"
            )
        return str(Path(program).absolute())


class BinaryServer(UpstreamServer):
    """A `RunningServer` in a child process of a supervisor."""

    def __init__(self, target: Target, program: str, model_dir: Path, model_name: str) -> None:
        self._ports = ReservedPorts()
        self.directory = Path(tempfile.gettempdir()).resolve() / f"sluiceway-launch-{secrets.token_hex(8)}"
        self._link = self.directory / "models" / model_name / "1"
        super().__init__(model_dir, model_name, str(self._link))
        self._target, self._program = target, program
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """See `UpstreamServer.start`."""
        try:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `_end`
            # The supervisor first: from here on there is always somebody to remove the folder.
            self._process = self._spawn()
            self.directory.mkdir(mode=0o700)
            (self.directory / MARKER).touch()
            self._link.parent.mkdir(parents=True)
            self._link.symlink_to(self._model_dir, target_is_directory=True)
            with self._process.stdin as go:  # type: ignore[union-attr] # it is a pipe
                go.write(b"go\n")
        except OSError as error:
            raise LaunchError(f"{self._program} cannot be started: {error}") from error

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "serving.launchers.supervisor", str(os.getpid()), str(self.directory), self._program),
                f"--port={self._ports.grpc}",
                f"--rest_api_port={self._ports.rest}",
                f"--model_name={self.model_name}",
                f"--model_base_path={self._link.parent}",
                *load_flags(self._target),
            ],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            # Its own words are read from the log, so it must not be told to be silent.
            env=child_environment() | {"TF_CPP_MIN_LOG_LEVEL": "0"},
            start_new_session=True,
        )

    def _addresses(self) -> tuple[str, str]:
        return f"{HOST}:{self._ports.rest}", f"{HOST}:{self._ports.grpc}"

    def exit_code(self) -> int | None:
        """See `UpstreamServer.exit_code`."""
        return None if self._process is None else self._process.poll()

    def _read_logs(self) -> str:
        if self._log is None:
            return ""
        log = self._log.fileno()
        return os.pread(log, os.fstat(log).st_size, 0).decode("utf-8", "replace")

    def resident_memory(self) -> int:
        """See `RunningServer.resident_memory`: of the program and what it started."""
        try:
            if self._process is None:
                raise psutil.NoSuchProcess(0)
            memory = sum(child.memory_info().rss for child in psutil.Process(self._process.pid).children(recursive=True))
        except psutil.NoSuchProcess as error:
            raise ServerDied("the model server is gone", log_tail=readiness.tail(self.logs())) from error
        if not memory:
            raise ServerDied("the model server is gone", log_tail=readiness.tail(self.logs()))
        return int(memory)

    def _end(self) -> None:
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()  # it may still wait for its word
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGKILL)  # the kernel then ends the server
                self._process.wait()
        if self._log is not None:
            self._final_logs = self._read_logs()
            self._log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._ports.close()
