"""A Launcher without processes: a server is available, refused or dead as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from serving.errors import LaunchError, LaunchTimeout, ModelLoadError, ServerDied


@dataclass
class FakeServer:
    """A RunningServer. ``load_seconds`` is compared with the deadline, never waited for."""

    model_dir: Path
    model_name: str
    load_seconds: float = 0.1
    memory: int = 100 * 2**20
    died: bool = False
    stopped: bool = False

    rest_address: str = "http://127.0.0.1:1"
    grpc_address: str = "127.0.0.1:1"

    def wait_until_available(self, deadline_seconds: float) -> float:
        if self.died:
            raise ServerDied("the model server ended with code -9", log_tail=self.logs())
        if self.load_seconds > deadline_seconds:
            raise LaunchTimeout(f"model {self.model_name} was available: not within {deadline_seconds:g} s", log_tail=self.logs())
        model = self.model_dir / "saved_model.pb"
        if not model.is_file() or model.read_bytes() == b"junk":
            raise ModelLoadError(f"{self.model_dir}: no SavedModel that can be loaded (saved_model.pb)", log_tail=self.logs())
        return self.load_seconds

    def logs(self) -> str:
        return f"fake server on {self.model_dir}"

    def resident_memory(self) -> int:
        if self.died or self.stopped:
            raise ServerDied("the model server is gone", log_tail=self.logs())
        return self.memory

    def stop(self) -> None:
        self.stopped = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


@dataclass
class FakeLauncher:
    """Hands out `FakeServer`s like the one described by its fields, and remembers them."""

    load_seconds: float = 0.1
    memory: int = 100 * 2**20
    died: bool = False
    launched: list[FakeServer] = field(default_factory=list)
    prepared: str | None = None

    def check(self) -> None:
        pass

    def prepare(self, *, model_name: str) -> None:
        self.prepared = model_name

    def launch(self, model_dir: Path, *, model_name: str) -> FakeServer:
        if not model_dir.is_dir():
            raise LaunchError(f"{model_dir} is not a directory: give the folder that holds saved_model.pb")
        server = FakeServer(model_dir, model_name, self.load_seconds, self.memory, self.died)
        self.launched.append(server)
        self.prepared = None
        return server

    def close(self) -> None:
        self.prepared = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
