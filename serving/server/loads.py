"""Carries out loads and unloads, a limited number at once, and tells an observer of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from serving.protocol.status import Code, StatusError
from serving.server.model_config import ModelConfig
from serving.server.models import Models, as_status
from serving.server.servable import Servable

log = logging.getLogger(__name__)

Loader = Callable[[ModelConfig, Path], Servable]


class Observer(Protocol):
    """Hears of every load and unload, in the thread that did it; ``seconds`` is how long a load took, waits for its turn not counted."""

    def loaded(self, model: str, version: int, path: Path, seconds: float) -> None:
        """A version is available."""

    def load_failed(self, model: str, version: int, path: Path, code: Code) -> None:
        """One try to load a version failed."""

    def unloaded(self, model: str, version: int) -> None:
        """A version is gone, its memory freed."""


class Nobody:
    """The observer that does not care."""

    def loaded(self, model: str, version: int, path: Path, seconds: float) -> None:
        """Nothing to do."""

    def load_failed(self, model: str, version: int, path: Path, code: Code) -> None:
        """Nothing to do."""

    def unloaded(self, model: str, version: int) -> None:
        """Nothing to do."""


def at_most(number: int) -> AbstractContextManager[object]:
    """A gate that lets so many threads through at once; 0 lets all."""
    return threading.BoundedSemaphore(number) if number > 0 else nullcontext()


class Loads:
    """Loads and unloads on `models`; ``load_threads`` and ``unload_threads`` bound how many of each run at once (0: no bound)."""

    def __init__(
        self,
        models: Models,
        load: Loader,
        *,
        load_threads: int = 0,
        unload_threads: int = 0,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.models = models
        self._load, self._clock = load, clock
        self._load_gate, self._unload_gate = at_most(load_threads), at_most(unload_threads)
        self._observer: Observer = observer or Nobody()

    def load(
        self, config: ModelConfig, version: int, path: Path, tries: Callable[[Callable[[], Servable]], Servable] | None = None
    ) -> None:
        """Load a version once, or as often as `tries` calls what it is given. Raises the last StatusError, after noting it."""

        def once() -> Servable:
            try:
                return self._load(config, path)
            except Exception as error:  # whatever a loader meets is a failed load
                reason = as_status(error)
                self._observer.load_failed(config.name, version, path, reason.code)
                if reason is error:
                    raise
                raise reason from error

        def noted() -> Servable:
            servable = once() if tries is None else tries(once)
            # Before anyone who waits for the version hears of it: counters of a reload are read as soon as it is over.
            self._observer.loaded(config.name, version, path, self._clock() - started)
            return servable

        self.models.announce(config.name, version)
        with self._load_gate:
            started = self._clock()
            try:
                self.models.load(config.name, version, noted)
            except StatusError as error:
                log.error("load of %s version %d failed: %s: %s", config.name, version, error.code.name, error.message)
                raise
        log.info("loaded %s version %d in %.2f s", config.name, version, self._clock() - started)

    def unload(self, model: str, version: int, *, wait: bool) -> None:
        """Let no new request have a version from now on; free it when the last one is done: before returning, or in the background."""
        finish = self.models.withdraw(model, version)
        if finish is None:
            return

        def drain() -> None:
            with self._unload_gate:
                finish()
            log.info("unloaded %s version %d", model, version)
            self._observer.unloaded(model, version)

        if wait:
            drain()
        else:
            threading.Thread(target=drain, name=f"unload-{model}-{version}", daemon=True).start()
