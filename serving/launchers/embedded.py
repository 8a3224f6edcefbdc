"""Boots our own server as a child process, which ends with us whatever happens to us.

    <temporary directory>/sluiceway-launch-*/
      .sluiceway-launch        marks the directory as one that the server may delete
      models/<model>/1         link to the model directory, made in one step
      ports.json server.log

The child watches this process: after a kill -9 here it ends and deletes the directory itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import psutil
from typing_extensions import Self

from serving.clients.rest import RestClient
from serving.errors import LaunchError, ModelLoadError, ServerDied
from serving.launchers import candidate, readiness
from serving.launchers.child import child_environment
from serving.launchers.target import Target
from serving.server.orphan import MARKER

_HOST = "127.0.0.1"
_START_SECONDS = 120.0  # importing TensorFlow on a cold, busy disk
_STOP_SECONDS = 15.0  # more than the server's own grace
_POLL_SECONDS = "0.05"


class EmbeddedLauncher:
    """A `Launcher` that runs ``python -m serving.server`` on ephemeral ports of the loopback interface."""

    def __init__(self, target: Target | None = None) -> None:
        self._server_flags = target.flags if target is not None else ()
        self._prepared: EmbeddedServer | None = None

    def check(self) -> None:
        """See `Launcher.check`. It needs nothing but this process's own Python."""

    def prepare(self, *, model_name: str) -> None:
        """Start the child now; it imports TensorFlow while the caller does something else."""
        self._prepared = self._take(model_name)

    def _take(self, model_name: str) -> EmbeddedServer:
        """The prepared child, if there is one of that name and it still runs; else a new one."""
        prepared = self._prepared
        if prepared is not None and (prepared.model_name != model_name or prepared.exit_code() is not None):
            prepared.stop()
            prepared = None
        self._prepared = None
        return prepared or EmbeddedServer(model_name, self._server_flags)

    def launch(self, model_dir: Path, *, model_name: str) -> EmbeddedServer:
        """See `Launcher.launch`. Raises LaunchError when there is no such directory, or no process can be started."""
        candidate.check(model_dir, model_name)
        server = self._take(model_name)
        server.serve(model_dir)
        return server

    def close(self) -> None:
        """See `Launcher.close`."""
        if self._prepared is not None:
            self._prepared.stop()
            self._prepared = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


class EmbeddedServer:
    """A `RunningServer` in a child process."""

    def __init__(self, model_name: str, server_flags: tuple[str, ...] = ()) -> None:
        self.model_name = model_name
        self._lock = threading.Lock()
        self._stopped = False
        self._final_logs = ""
        self._ports: dict[str, int] | None = None
        self._linked_at = 0.0
        self._model_dir = Path()
        self.directory = Path(tempfile.mkdtemp(prefix="sluiceway-launch-")).resolve()
        self._link = self.directory / "models" / model_name / "1"
        try:
            (self.directory / MARKER).touch()
            self._link.parent.mkdir(parents=True)
            self._process = self._spawn(server_flags)
        except OSError as error:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise LaunchError(f"the model server cannot be started: {error}") from error

    def _spawn(self, server_flags: tuple[str, ...]) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "serving.server", "--port=0", "--rest_api_port=0", f"--bind={_HOST}"),
            f"--model_name={self.model_name}",
            f"--model_base_path={self._link.parent}",
            f"--file_system_poll_wait_seconds={_POLL_SECONDS}",
            f"--ports_file={self.directory / 'ports.json'}",
            f"--parent_pid={os.getpid()}",
            f"--remove_on_exit={self.directory}",
            *server_flags,
        ]
        with (self.directory / "server.log").open("wb") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(),
                cwd=self.directory,
                start_new_session=True,
            )

    def serve(self, model_dir: Path) -> None:
        """Point the server at a model directory. A link appears in one step, so the server never sees half of it."""
        self._model_dir = model_dir.resolve()
        try:
            self._link.symlink_to(self._model_dir, target_is_directory=True)
        except OSError as error:
            code = self.exit_code()
            self.stop()
            if code is not None:
                raise ServerDied(f"the model server ended with code {code} before it got a model", log_tail=self.logs()) from error
            raise LaunchError(f"the model server cannot be pointed at {model_dir}: {error}") from error
        self._linked_at = time.time()

    @property
    def rest_address(self) -> str:
        """See `RunningServer.rest_address`."""
        return f"http://{_HOST}:{self._wait_for_ports(_START_SECONDS)['rest']}"

    @property
    def grpc_address(self) -> str:
        """See `RunningServer.grpc_address`."""
        return f"{_HOST}:{self._wait_for_ports(_START_SECONDS)['grpc']}"

    def _wait_for_ports(self, deadline_seconds: float) -> dict[str, int]:
        if self._ports is None:
            self._ports = readiness.wait_for(
                self._read_ports, self.exit_code, what="its ports were open", deadline_seconds=deadline_seconds, logs=self.logs
            )
        return self._ports

    def _read_ports(self) -> dict[str, int] | None:
        try:
            ports: dict[str, int] = json.loads((self.directory / "ports.json").read_bytes())
        except FileNotFoundError:
            return None
        return ports

    def wait_until_available(self, deadline_seconds: float) -> float:
        """See `RunningServer.wait_until_available`."""
        until = time.monotonic() + deadline_seconds
        self._wait_for_ports(deadline_seconds)
        opened_at = (self.directory / "ports.json").stat().st_mtime
        with RestClient(self.rest_address) as client:
            try:
                readiness.wait_for(
                    lambda: readiness.judge(client.status(self.model_name)) or None,
                    self.exit_code,
                    what=f"model {self.model_name} was available",
                    deadline_seconds=until - time.monotonic(),
                    logs=self.logs,
                )
            except ModelLoadError as error:
                # The link is ours; the caller knows the model by its own path.
                words = str(error).replace(str(self._link), str(self._model_dir))
                raise ModelLoadError(words, log_tail=readiness.tail(self.logs())) from error
        return max(0.0, time.time() - max(opened_at, self._linked_at))

    def exit_code(self) -> int | None:
        """The child's exit code; None while it runs."""
        return self._process.poll()

    def logs(self) -> str:
        """See `RunningServer.logs`."""
        try:
            return (self.directory / "server.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return self._final_logs

    def resident_memory(self) -> int:
        """See `RunningServer.resident_memory`."""
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.NoSuchProcess as error:
            raise ServerDied("the model server is gone", log_tail=self.logs()) from error

    def stop(self) -> None:
        """See `RunningServer.stop`. Asks first; a child that does not end in time is killed."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            # The server deletes its directory, and its log with it, when it ends: keep the log readable for us.
            # It may have done so already, when it died.
            with contextlib.ExitStack() as opened:
                log: BinaryIO | None = None
                with contextlib.suppress(FileNotFoundError):
                    log = opened.enter_context((self.directory / "server.log").open("rb"))
                self._end_child()
                self._final_logs = log.read().decode("utf-8", "replace") if log is not None else ""
            shutil.rmtree(self.directory, ignore_errors=True)

    def _end_child(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()
