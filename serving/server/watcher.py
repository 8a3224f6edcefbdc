"""Keeps what a server holds in step with a model's base path: the newest version that loads is live."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.protocol.status import Code, State, StatusError
from serving.server.models import Models
from serving.server.servable import Servable
from serving.server.version_dirs import Found, scan

log = logging.getLogger(__name__)

# Worth another try. Everything else says that the files or the graph are wrong, and stay so until they change.
_TRANSIENT = frozenset({Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.ABORTED, Code.DEADLINE_EXCEEDED})
_FIRST_BACK_OFF_SECONDS = 0.5


@dataclass(frozen=True)
class Load:
    """Bring this version up."""

    found: Found


@dataclass(frozen=True)
class Unload:
    """Take this version out of service."""

    version: int


@dataclass(frozen=True)
class Retries:
    """How often a load that failed for a passing reason is tried again, and the longest wait between tries."""

    most: int = 5
    interval_seconds: float = 60.0


def plan(found: Sequence[Found], states: Mapping[int, State], failed: Mapping[int, str]) -> Load | Unload | None:
    """The next step towards serving only the newest version that loads; None when there is nothing to do.

    ``failed`` holds the fingerprint each failed version had when it was tried; it is tried again when its files change.
    New before old: a version is unloaded only once its successor is available. With nothing loadable on disk (an outage of
    the storage looks like that) whatever is live stays.
    """
    loadable = {item.version: item for item in found if item.problem is None and failed.get(item.version) != item.fingerprint}
    if not loadable:
        return None
    target = max(loadable)
    ready = [version for version, state in states.items() if state is State.AVAILABLE]
    if target not in ready:
        return Load(loadable[target])
    return next((Unload(version) for version in sorted(ready) if version != target), None)


class Watcher:
    """Polls one model's base path in a thread of its own, so that no model waits for another."""

    def __init__(
        self, models: Models, model: str, base_path: Path, load: Callable[[Path], Servable], *, poll_seconds: float, retries: Retries
    ) -> None:
        self._models, self._model, self._base_path, self._load = models, model, base_path, load
        self._poll_seconds, self._retries = poll_seconds, retries
        self._failed: dict[int, str] = {}
        self._said = ""
        # True while every version on disk that could be tried was tried, and none is available.
        self.gave_up = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{model}", daemon=True)

    def start(self) -> None:
        """Begin polling. A period of 0 polls once; a negative one never."""
        if self._poll_seconds >= 0:
            self._thread.start()

    def stop(self) -> None:
        """Stop polling, without waiting for a load that is under way."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.poll()
            except Exception:  # the thread must outlive whatever one poll meets
                log.exception("poll of %s failed", self._base_path)
            if self._poll_seconds == 0:
                return
            self._stopping.wait(self._poll_seconds)

    def poll(self) -> None:
        """Look once, and do all that follows from it."""
        try:
            found = scan(self._base_path)
        except OSError as error:
            return self._say(f"waiting for base path {self._base_path}: {error.strerror or error}")
        self._failed = {version: print_ for version, print_ in self._failed.items() if version in {item.version for item in found}}
        self._note_incomplete(found)
        while not self._stopping.is_set():
            step = plan(found, self._models.states(self._model), self._failed)
            if step is None:
                break
            self._take(step)
        self.gave_up = bool(self._failed) and State.AVAILABLE not in self._models.states(self._model).values()
        if not found:
            self._say(f"no versions of {self._model} under base path {self._base_path}")
        return None

    def _say(self, message: str) -> None:
        """Log a lasting condition once, not at every poll."""
        if message and message != self._said:
            log.warning(message)
        self._said = message

    def _note_incomplete(self, found: Sequence[Found]) -> None:
        """Versions that are newer than what is live, yet not all there, show up in the status with the reason."""
        states = self._models.states(self._model)
        live = max((version for version, state in states.items() if state is State.AVAILABLE), default=0)
        incomplete = [item for item in found if item.problem and item.version > live]
        for item in incomplete:
            self._models.refuse(self._model, item.version, Code.UNAVAILABLE, item.problem or "")
        self._say("; ".join(f"version {item.version} ignored: {item.problem}" for item in incomplete))

    def _take(self, step: Load | Unload) -> None:
        started = time.monotonic()
        if isinstance(step, Unload):
            self._models.unload(self._model, step.version)
            log.info("unloaded %s version %d after %.2f s", self._model, step.version, time.monotonic() - started)
            return
        version = step.found.version
        try:
            self._models.load(self._model, version, lambda: self._try(step.found.path))
        except StatusError as error:
            self._failed[version] = step.found.fingerprint
            log.error("load of %s version %d failed: %s: %s", self._model, version, error.code.name, error.message)
        else:
            log.info("loaded %s version %d in %.2f s", self._model, version, time.monotonic() - started)

    def _try(self, path: Path) -> Servable:
        for attempt in range(self._retries.most):
            try:
                return self._load(path)
            except StatusError as error:
                if error.code not in _TRANSIENT:
                    raise
                pause = min(_FIRST_BACK_OFF_SECONDS * 2**attempt, self._retries.interval_seconds)
                log.warning("load of %s failed for now: %s; next try in %.1f s", path, error.message, pause)
                if self._stopping.wait(pause):
                    raise
        return self._load(path)
