"""Keeps what a server holds in step with its models' base paths as TF Serving does: all models in one pass, one action after the other."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence

from serving.protocol.status import State, StatusError, VersionStatus
from serving.server.loads import Loads
from serving.server.model_config import ModelConfig
from serving.server.policy import Load, Retries, Unload, aspired_upstream, plan_upstream
from serving.server.reload import base_directory
from serving.server.servable import Servable
from serving.server.version_dirs import Found, scan_like_upstream
from serving.server.watcher import Outlook

log = logging.getLogger(__name__)

_START_THREADS = 4 * (os.cpu_count() or 1)
_TICK_SECONDS = 0.1


class StrictWatcher:
    """All models of a server in one thread.

    A missing base path ends the pass for every model. A load that fails is tried again at a fixed interval, whatever the error, and
    then never while it stays aspired to. An empty folder takes everything away. With ``load_threads`` 0 nothing else happens during
    a load, once the start is over.
    """

    def __init__(self, loads: Loads, *, poll_seconds: float, retries: Retries, load_threads: int = 0, unload_threads: int = 0) -> None:
        self._loads, self._models = loads, loads.models
        self._poll_seconds, self._retries = poll_seconds, retries
        self._configured_threads, self._load_threads, self._inline_unloads = load_threads, _START_THREADS, unload_threads == 0
        self._under_way = 0
        self._configs: tuple[ModelConfig, ...] = ()
        self._aspired: dict[str, list[Found]] = {}
        self._failed: dict[str, set[int]] = {}
        self._lock = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, configs: Sequence[ModelConfig]) -> None:
        """Follow exactly these models from now on; those that are gone are unloaded at once, new ones wait for the next pass."""
        with self._lock:
            gone = {config.name for config in self._configs} - {config.name for config in configs}
            self._configs = tuple(configs)
            self._aspired.update({name: [] for name in gone})
            self._failed = {name: failed for name, failed in self._failed.items() if name not in gone}
            self._woken.set()

    def start(self) -> None:
        """Look and act in a thread, from now on."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="watch-all", daemon=True)
                self._thread.start()

    def started(self) -> None:
        """The start is over: from now on as few loads at once as configured."""
        self._load_threads = self._configured_threads

    def stop(self) -> None:
        """Stop polling and trying again, without waiting for a load that is under way; what is live stays."""
        self._stopping.set()
        self._woken.set()

    def _run(self) -> None:
        due = self._poll_seconds >= 0
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                if due:
                    self.poll()
                self.act()
            except Exception:  # the thread must outlive whatever one pass meets
                log.exception("a pass over all models failed")
            due = not self._woken.wait(self._poll_seconds if self._poll_seconds > 0 else None)

    def poll(self) -> None:
        """Look once at every base path; when one is missing, nothing changes for any model."""
        with self._lock:
            configs = self._configs
        aspired = {}
        for config in configs:
            try:
                found = scan_like_upstream(base_directory(config))
            except OSError as error:
                log.error(
                    "FileSystemStoragePathSource encountered a filesystem access error: Could not find base path %s for servable %s "
                    "with error %s",
                    *(config.base_path, config.name, error.strerror or error),
                )
                return
            aspired[config.name] = aspired_upstream(found, config.policy)
            if not aspired[config.name]:
                log.warning(
                    "No versions of servable %s found under base path %s. "
                    "Did you forget to name your leaf directory as a number (eg. '/1/')?",
                    *(config.name, config.base_path),
                )
        with self._lock:
            if configs == self._configs:
                self._aspired.update(aspired)
                for name, found in self._aspired.items():
                    self._failed[name] = self._failed.get(name, set()) & {item.version for item in found}

    def act(self) -> None:
        """Do all that follows from the last pass, unloads first."""
        while not self._stopping.is_set():
            with self._lock:
                by_name = {config.name: config for config in self._configs}
                steps = [
                    (name, by_name.get(name), step)
                    for name, aspired in self._aspired.items()
                    if (step := plan_upstream(aspired, self._models.states(name), self._failed.get(name, set()))) is not None
                ]
            if not steps:
                return
            name, config, step = min(steps, key=lambda item: isinstance(item[2], Load))
            if isinstance(step, Unload):
                self._loads.unload(name, step.version, wait=self._inline_unloads)
            elif config is not None:
                self._load(config, step.found)

    def _load(self, config: ModelConfig, found: Found) -> None:
        if self._load_threads == 0:
            self._load_now(config, found)
            return
        while self._under_way >= self._load_threads:
            if self._stopping.wait(_TICK_SECONDS):
                return
        self._models.announce(config.name, found.version)
        with self._lock:
            self._under_way += 1
        threading.Thread(target=self._load_aside, args=(config, found), name=f"load-{config.name}-{found.version}", daemon=True).start()

    def _load_aside(self, config: ModelConfig, found: Found) -> None:
        try:
            self._load_now(config, found)
        finally:
            with self._lock:
                self._under_way -= 1
            self._woken.set()

    def _load_now(self, config: ModelConfig, found: Found) -> None:
        def tries(once: Callable[[], Servable]) -> Servable:
            return self._try(once, config.name, found.version)

        try:
            self._loads.load(config, found.version, found.path, tries)
        except StatusError:
            with self._lock:  # the model may have been removed meanwhile, and start afresh when it comes back
                if found in self._aspired.get(config.name, []):
                    self._failed.setdefault(config.name, set()).add(found.version)

    def _try(self, once: Callable[[], Servable], model: str, version: int) -> Servable:
        for attempt in range(1, self._retries.most + 1):
            try:
                return once()
            except StatusError as error:
                log.warning("try %d to load %s version %d failed: %s", attempt, model, version, error.message)
                if self._stopping.wait(self._retries.interval_seconds) or not self._is_aspired(model, version):
                    raise
        return once()

    def _is_aspired(self, model: str, version: int) -> bool:
        with self._lock:
            return version in {item.version for item in self._aspired.get(model, [])}

    def outlook(self, model: str, since: int) -> Outlook:
        """What may be expected of a model: the first version that was available or ended after generation `since` decides."""
        first = self._first(model, since)
        if first is None:
            return Outlook.TRYING
        return Outlook.SERVED if first.state is State.AVAILABLE else Outlook.FAILED

    def failures(self, model: str, since: int) -> list[VersionStatus]:
        """The version that decided that a model is not available."""
        first = self._first(model, since)
        return [] if first is None else [first]

    def _first(self, model: str, since: int) -> VersionStatus | None:
        reached = (status for status in self._models.changed_since(model, since) if status.state in (State.AVAILABLE, State.END))
        return next(reached, None)
