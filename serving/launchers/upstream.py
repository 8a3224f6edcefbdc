"""What TF Serving's own server is to every launcher: ports that open when the model is there, and words in its log when it cannot be.

`rest_address` waits until the server has come to the model, by its log: what takes long from there on is the model's doing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from serving.clients.rest import RestClient
from serving.errors import LaunchError, ModelLoadError, ModelNotFound, Unavailable
from serving.launchers import candidate, readiness, server_log
from serving.launchers.target import Target

GRPC_PORT, REST_PORT = 8500, 8501  # of TF Serving's images
MODELS = "/models"


def load_flags(target: Target) -> list[str]:
    """Flags of every launch: one try, since a model that does not load will not load in a minute; then the target's own."""
    return ["--max_num_load_retries=0", "--load_retry_interval_micros=0", "--file_system_poll_wait_seconds=1", *target.flags]


class UpstreamServer(ABC):
    """A `RunningServer` that behaves as TF Serving does. Subclasses know where it runs."""

    start_seconds = 120.0
    poll_seconds = 0.05

    def __init__(self, model_dir: Path, model_name: str, inside: str) -> None:
        """``inside``: where the server sees the model; its words name that place, ours name the caller's."""
        self.model_name = model_name
        self._model_dir, self._inside = model_dir.resolve(), inside
        self._lock = threading.Lock()
        self._stopped = False
        self._final_logs = ""
        self._up_at: float | None = None

    @abstractmethod
    def start(self) -> None:
        """Boot it. When this raises, `stop` removes what was made. Raises LaunchError."""

    @abstractmethod
    def exit_code(self) -> int | None:
        """The server's exit code; None while it runs. Raises LaunchError when it cannot run at all."""

    @abstractmethod
    def resident_memory(self) -> int:
        """See `RunningServer.resident_memory`."""

    @abstractmethod
    def _addresses(self) -> tuple[str, str] | None:
        """``host:port`` for REST and for gRPC; None when they are not known yet."""

    @abstractmethod
    def _read_logs(self) -> str:
        """What the server has printed so far. Raises LaunchError."""

    @abstractmethod
    def _end(self) -> None:
        """End the server, and remove all that was made."""

    @property
    def rest_address(self) -> str:
        """See `RunningServer.rest_address`."""
        return f"http://{self._wait_until_up(self.start_seconds)[0]}"

    @property
    def grpc_address(self) -> str:
        """See `RunningServer.grpc_address`."""
        return self._wait_until_up(self.start_seconds)[1]

    def _wait_until_up(self, deadline_seconds: float) -> tuple[str, str]:
        def look() -> tuple[str, str] | None:
            addresses = self._addresses()
            if addresses is None or self._up_at is not None:
                return addresses
            log = self.logs()
            return addresses if server_log.began(log) or server_log.refusal(log) or self._answers(addresses[0]) else None

        addresses = readiness.wait_for(
            look,
            self.exit_code,
            what="the server came to the model",
            deadline_seconds=deadline_seconds,
            logs=self.logs,
            poll_seconds=self.poll_seconds,
        )
        self._up_at = self._up_at or time.monotonic()
        return addresses

    def _answers(self, rest: str) -> bool:
        with RestClient(f"http://{rest}") as client, contextlib.suppress(Unavailable):
            with contextlib.suppress(ModelNotFound):
                client.status(self.model_name)
            return True
        return False

    def wait_until_available(self, deadline_seconds: float) -> float:
        """See `RunningServer.wait_until_available`. The log tells how long the load took; without it the wait is what counts."""
        until = time.monotonic() + deadline_seconds
        rest, _ = self._wait_until_up(deadline_seconds)
        with RestClient(f"http://{rest}") as client:
            readiness.wait_for(
                lambda: self._look(client),
                self.exit_code,
                what=f"model {self.model_name} was available",
                deadline_seconds=until - time.monotonic(),
                logs=self.logs,
                poll_seconds=self.poll_seconds,
            )
        told = server_log.load_seconds(self.logs(), self.model_name)
        return told if told is not None else time.monotonic() - (self._up_at or until)

    def _look(self, client: RestClient) -> bool | None:
        try:
            return readiness.judge(client.status(self.model_name)) or None
        except (Unavailable, ModelNotFound):
            words = server_log.refusal(self.logs())
        except ModelLoadError as error:
            words = str(error)
        if words is None:
            return None
        words = words.replace(self._inside, str(self._model_dir))
        raise ModelLoadError(words, log_tail=readiness.tail(self.logs()))

    def logs(self) -> str:
        """See `RunningServer.logs`."""
        return self._final_logs if self._stopped else self._read_logs()

    def stop(self) -> None:
        """See `RunningServer.stop`."""
        with self._lock:
            if self._stopped:
                return
            with contextlib.suppress(LaunchError):
                self._final_logs = self._read_logs()
            self._stopped = True
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


class UpstreamLauncher(ABC):
    """A `Launcher` of such servers. They start in an instant, so there is nothing to prepare."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @abstractmethod
    def _server(self, model_dir: Path, model_name: str) -> UpstreamServer:
        """A server that is not started yet."""

    @abstractmethod
    def check(self) -> None:
        """See `Launcher.check`."""

    def prepare(self, *, model_name: str) -> None:  # noqa: B027 - meant to be empty
        """See `Launcher.prepare`."""

    def launch(self, model_dir: Path, *, model_name: str) -> UpstreamServer:
        """See `Launcher.launch`."""
        candidate.check(model_dir, model_name)
        server = self._server(model_dir, model_name)
        try:
            server.start()
        except BaseException:
            server.stop()
            raise
        return server

    def close(self) -> None:  # noqa: B027 - meant to be empty
        """See `Launcher.close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
