"""The contract of a launcher: boot a model server on one model directory, and leave nothing behind.

    Launcher --launch--> RunningServer: starting --wait_until_available--> available --stop--> stopped
                                            |                                                     ^
                                            +--stop (half started)--------------------------------+
                                            +--the server ends on its own--> died --stop----------+
                                            +--the model does not load--> refused --stop----------+

`stop` may be called in every state, and twice. Leaving the ``with`` block calls it.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol

from typing_extensions import Self


class RunningServer(Protocol):
    """A server that was told to serve one model, as version 1 of its name."""

    @property
    def model_name(self) -> str:
        """The name to ask for."""

    @property
    def rest_address(self) -> str:
        """``http://host:port``. Waits until the server itself is up: what takes long from then on is the model. Raises LaunchError."""

    @property
    def grpc_address(self) -> str:
        """``host:port``. Waits as `rest_address` does. Raises LaunchError."""

    def wait_until_available(self, deadline_seconds: float) -> float:
        """Return when the model answers, with the seconds its loading took (the server's own start not counted).

        Raises ModelLoadError with the server's message when the model does not load, ServerDied, LaunchTimeout; each carries the last
        lines of the log.
        """

    def logs(self) -> str:
        """What the server has printed so far; still there after `stop`."""

    def resident_memory(self) -> int:
        """Bytes of memory the server holds now. Raises ServerDied."""

    def stop(self) -> None:
        """End the server and remove what was made for it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


class Launcher(Protocol):
    """Boots model servers."""

    def check(self) -> None:
        """Find out early whether a launch can work at all. Raises LaunchError when there is no engine, no program, no image."""

    def prepare(self, *, model_name: str) -> None:
        """Do ahead what needs no model, so that the next `launch` of that name is quick. May be called twice."""

    def launch(self, model_dir: Path, *, model_name: str) -> RunningServer:
        """Boot a server on `model_dir`, a folder with a ``saved_model.pb``. Use as a context manager. Raises LaunchError."""

    def close(self) -> None:
        """Give up what `prepare` made and no `launch` took."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...
