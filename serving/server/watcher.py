"""Keeps what a server holds in step with its models' base paths, each model in a thread of its own: the newest that loads is live."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server.loads import Loads
from serving.server.model_config import ModelConfig
from serving.server.policy import Failure, Load, Retries, Unload, after_failure, next_retry, plan, refused
from serving.server.reload import base_directory
from serving.server.version_dirs import Found, scan

log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 86_400.0  # no lock waits for longer than some years


class Outlook(Enum):
    """What may be expected of a model that somebody waits for."""

    SERVED = "some version is available"
    TRYING = "none is, but one is on its way"
    WAITING = "there is nothing to try; something may appear"
    FAILED = "everything that could be tried failed"


class Watcher:
    """Polls one model's base path. Nothing that happens to other models delays it."""

    def __init__(
        self,
        loads: Loads,
        model: str,
        *,
        poll_seconds: float,
        retries: Retries,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._loads, self._models, self._model = loads, loads.models, model
        self._poll_seconds, self._retries, self._clock, self._jitter = poll_seconds, retries, clock, jitter
        self._config: ModelConfig | None = None
        self._found: dict[int, Found] = {}
        self._failed: dict[int, Failure] = {}
        self._incomplete: list[Found] = []
        self._said = ""
        self._state = Outlook.TRYING
        self._lock = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, config: ModelConfig | None) -> None:
        """From the next poll on, which is now, follow this configuration; None: the model is removed, and goes at once."""
        with self._lock:
            if config is not None and self._config is not None and config.base_path != self._config.base_path:
                self._found, self._failed = {}, {}
                if self._models.ready(self._model):  # as upstream: a version is known by its number alone
                    log.warning("base path of %s changed: what is live stays until a version with a higher number is there", self._model)
            self._config, self._state = config, Outlook.TRYING
            self._woken.set()
        if config is None:
            self._clear()

    def start(self) -> None:
        """Poll in a thread, if there is a configuration to follow; it ends when the model is removed."""
        with self._lock:
            if self._config is not None and self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name=f"watch-{self._model}", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop polling, without waiting for a load that is under way; what is live stays."""
        self._stopping.set()
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self.poll()
            except Exception:  # the thread must outlive whatever one poll meets
                log.exception("poll of %s failed", self._model)
            with self._lock:
                if self._config is None:
                    self._thread = None
                    return
            self._woken.wait(self._pause())

    def _pause(self) -> float | None:
        """Seconds until there is something to do again; None: only when woken."""
        retry = next_retry(self._failed, self._clock())
        waits = [wait for wait in (self._poll_seconds if self._poll_seconds > 0 else None, retry) if wait is not None]
        return min(max(min(waits), 0.02), _LONGEST_PAUSE_SECONDS) if waits else None

    def poll(self) -> None:
        """Look once, and do all that follows from it."""
        config = self._config
        if config is None:
            return self._clear()
        if self._poll_seconds < 0:
            return self._conclude(config, "polling is off")
        base_path = base_directory(config)
        try:
            found = scan(base_path, self._found)
        except OSError as error:
            return self._conclude(config, f"waiting for base path {base_path}: {error.strerror or error}")
        self._found = {item.version: item for item in found}
        self._failed = {version: failure for version, failure in self._failed.items() if version in self._found}
        while not self._stopping.is_set() and self._config is config:
            states, now = self._models.states(self._model), self._clock()
            step = plan(found, config.policy, states, self._failed, now)
            if step is None:
                break
            self._take(config, step)
        if self._config is config:
            self._note_incomplete(refused(found, config.policy, self._models.states(self._model)))
            nothing = f"no versions of {self._model} under base path {base_path}"
            incomplete = "; ".join(f"version {item.version} ignored: {item.problem}" for item in self._incomplete)
            self._conclude(config, incomplete if found else nothing)
        return self._clear() if self._config is None else None

    def _take(self, config: ModelConfig, step: Load | Unload) -> None:
        if isinstance(step, Unload):
            self._loads.unload(self._model, step.version, wait=False)
            return
        found = step.found
        try:
            self._loads.load(config, found.version, found.path)
        except StatusError as error:
            before, now = self._failed.get(found.version), self._clock()
            failure = after_failure(found, error.code, error.message, before, now=now, retries=self._retries, jitter=self._jitter)
            with self._lock:  # the model may have been removed meanwhile, and start afresh when it comes back
                if self._config is config:
                    self._failed[found.version] = failure
            if failure.retry_at is not None:
                log.warning("load of %s version %d is tried again in %.1f s", self._model, found.version, failure.retry_at - now)
        else:
            self._failed.pop(found.version, None)

    def _note_incomplete(self, incomplete: Sequence[Found]) -> None:
        """Versions that would be wanted, yet are not all there, show up in the status with the reason."""
        self._incomplete = list(incomplete)
        for item in incomplete:
            self._models.refuse(self._model, item.version, Code.UNAVAILABLE, item.problem or "")

    def _conclude(self, config: ModelConfig, message: str) -> None:
        """Log a lasting condition once, not at every poll; say what may be expected."""
        if message and message != self._said:
            log.warning(message)
        self._said = message
        with self._lock:
            if self._config is config:
                self._state = self._judge()

    def _judge(self) -> Outlook:
        """Without a further poll nothing can appear any more, so waiting for it would be for ever."""
        if any(failure.retry_at is not None for failure in self._failed.values()):
            return Outlook.TRYING
        return Outlook.FAILED if self._failed or self._poll_seconds == 0 else Outlook.WAITING

    def _clear(self) -> None:
        for version, state in self._models.states(self._model).items():
            if state is State.AVAILABLE:
                self._loads.unload(self._model, version, wait=False)
        self._found, self._failed, self._incomplete = {}, {}, []

    @property
    def outlook(self) -> Outlook:
        """What may be expected of this model."""
        return Outlook.SERVED if self._models.ready(self._model) else self._state

    def failures(self) -> list[VersionStatus]:
        """What went wrong, highest version first; version 0 stands for the model as a whole."""
        failed = [VersionStatus(version, State.END, item.code, item.message) for version, item in list(self._failed.items())]
        failed += [VersionStatus(item.version, State.END, Code.UNAVAILABLE, item.problem or "") for item in self._incomplete]
        return sorted(failed, key=lambda status: -status.version) or [VersionStatus(0, State.END, Code.NOT_FOUND, self._said)]


class Watchers:
    """A watcher for each model of a server."""

    def __init__(self, loads: Loads, *, poll_seconds: float, retries: Retries) -> None:
        self._loads, self._poll_seconds, self._retries = loads, poll_seconds, retries
        self._watchers: dict[str, Watcher] = {}

    def follow(self, configs: Sequence[ModelConfig]) -> None:
        """Follow exactly these models; each is looked at once, also without a polling period."""
        wanted = {config.name: config for config in configs}
        for name in wanted.keys() - self._watchers.keys():
            self._watchers[name] = Watcher(self._loads, name, poll_seconds=self._poll_seconds, retries=self._retries)
        for name, watcher in self._watchers.items():
            watcher.follow(wanted.get(name))

    def start(self) -> None:
        """Poll each model in a thread."""
        for watcher in self._watchers.values():
            watcher.start()

    def outlook(self, model: str, since: int) -> Outlook:
        """What may be expected of a model; `since` does not matter, a model that comes back starts afresh."""
        del since
        return self._watchers[model].outlook

    def failures(self, model: str, since: int) -> list[VersionStatus]:
        """Why no version of a model is available."""
        del since
        return self._watchers[model].failures()

    def started(self) -> None:
        """The start is over; nothing changes here."""

    def stop(self) -> None:
        """Stop polling everything."""
        for watcher in self._watchers.values():
            watcher.stop()
