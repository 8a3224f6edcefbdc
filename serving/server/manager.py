"""The models of a server as a whole: what it is told to serve, at its start and later, and when that is done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from configs.errors import SluicewayError
from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server import labels, reload
from serving.server.loads import Loader, Loads, Observer
from serving.server.model_config import ModelConfig
from serving.server.models import Models
from serving.server.policy import Retries
from serving.server.strict_watcher import StrictWatcher
from serving.server.watcher import Outlook, Watchers

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05


class StartFailed(SluicewayError):
    """The server cannot start: its configuration is refused, or a model did not come up and there is nothing else to serve of it."""


@dataclass(frozen=True)
class ManagerSettings:
    """How models are looked for and loaded; the defaults are TF Serving's.

    ``poll_seconds`` between two looks at the base paths: 0 looks once (and at each reload, unless strict), negative never.
    ``retries`` is how often a failed load is tried again, ``retry_interval_seconds`` the wait between tries (strict) or the longest one.
    ``num_load_threads`` and ``num_unload_threads`` bound what happens at once; 0 is one per model, and when strict one for everything.
    ``strict`` follows TF Serving bug for bug.
    """

    poll_seconds: float = 1.0
    retries: int = 5
    retry_interval_seconds: float = 60.0
    strict: bool = False
    allow_version_labels_for_unavailable_models: bool = False
    num_load_threads: int = 0
    num_unload_threads: int = 0


class Watch(Protocol):
    """What follows the base paths: `Watchers`, or `StrictWatcher`."""

    def follow(self, configs: Sequence[ModelConfig]) -> None:
        """From the next poll on follow exactly these models; those that are gone go at once."""

    def start(self) -> None:
        """Poll, as often as configured. May be called again after each change of what is followed."""

    def outlook(self, model: str, since: int) -> Outlook:
        """What may be expected of a model, going by what happened after generation `since` of `Models`."""

    def failures(self, model: str, since: int) -> list[VersionStatus]:
        """Why a model is not available."""

    def started(self) -> None:
        """The start is over."""

    def stop(self) -> None:
        """Stop following; what is live stays."""


def watch_for(models: Models, load: Loader, settings: ManagerSettings, observer: Observer | None) -> Watch:
    """The way of following base paths that the settings ask for."""
    retries = Retries(settings.retries, settings.retry_interval_seconds)
    load_threads, unload_threads = settings.num_load_threads, settings.num_unload_threads
    if not settings.strict:
        loads = Loads(models, load, load_threads=load_threads, unload_threads=unload_threads, observer=observer)
        return Watchers(loads, poll_seconds=settings.poll_seconds, retries=retries)
    loads = Loads(models, load, unload_threads=unload_threads, observer=observer)  # how many load at once changes after the start
    return StrictWatcher(
        loads, poll_seconds=settings.poll_seconds, retries=retries, load_threads=load_threads, unload_threads=unload_threads
    )


class Manager:
    """Keeps `models` in step with a list of configurations."""

    def __init__(
        self,
        models: Models,
        load: Loader,
        settings: ManagerSettings | None = None,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models, self._settings, self._clock = models, settings or ManagerSettings(), clock
        self._watch = watch_for(models, load, self._settings, observer)
        # Upstream remembers a list before it has checked its labels, so the last one asked for and the one in force may differ.
        self._requested: tuple[ModelConfig, ...] | None = None
        self._applied: tuple[ModelConfig, ...] = ()
        self._reloading = threading.Lock()
        self._stopping = threading.Event()

    @property
    def configs(self) -> tuple[ModelConfig, ...]:
        """The list that is in force."""
        return self._applied

    def start(self, configs: Sequence[ModelConfig]) -> None:
        """Begin to serve these models, without waiting for them. Raises StartFailed when the list is refused."""
        with self._reloading:
            try:
                self._apply(tuple(configs))
            except StatusError as error:
                raise StartFailed(f"{error.code.name}: {error.message}") from error

    def wait_until_available(self, stop: threading.Event) -> bool:
        """Wait until each model has a version available; False when told to stop.

        Raises StartFailed when a model has none and everything that could be tried failed. A directory that is missing, empty or
        incomplete is waited for: it may be on its way. Strict: the first version of a model that is available or failed decides.
        """
        failures = self._await(lambda: [config.name for config in self._applied], 0, stop, None)
        if failures is None:
            return False
        if failures:
            raise StartFailed(f"UNKNOWN: {reload.not_available('servable', failures)}")
        self._watch.started()
        return True

    def reload(self, configs: Sequence[ModelConfig], deadline_seconds: float | None = None) -> None:
        """Serve exactly these models from now on; return when each model that is new has a version available.

        Lists are put in force one after the other. Strict: also the wait for new models is in that order, so a model that never comes
        blocks every later list; otherwise a later list, which may well be the remedy, does not wait.

        Raises StatusError: INVALID_ARGUMENT or FAILED_PRECONDITION for a list that is refused; UNKNOWN when a new model did not come
        up, DEADLINE_EXCEEDED when it took longer than `deadline_seconds`, ABORTED when a later list is without it, UNAVAILABLE when the
        server stops. After the last four the list is, or was, in force.
        """
        deadline = None if deadline_seconds is None else self._clock() + deadline_seconds
        if not self._reloading.acquire(timeout=-1 if deadline_seconds is None else max(deadline_seconds, 0)):
            raise StatusError(Code.DEADLINE_EXCEEDED, f"another reload was still under way after {deadline_seconds:g} s; try again later")
        try:
            added, since = self._apply(tuple(configs))
            self._watch.started()
            if self._settings.strict:
                self._await_new(added, since, deadline)
        finally:
            self._reloading.release()
        if not self._settings.strict:
            self._await_new(added, since, deadline)

    def _await_new(self, added: Sequence[str], since: int, deadline: float | None) -> None:
        def remaining() -> list[str]:
            return [config.name for config in self._applied if config.name in added]

        failures = self._await(remaining, since, self._stopping, deadline)
        if failures is None:
            raise StatusError(Code.UNAVAILABLE, "the server is stopping")
        if failures:
            raise StatusError(Code.UNKNOWN, reload.not_available("model", failures))
        if gone := sorted(set(added) - set(remaining())):
            raise StatusError(Code.ABORTED, f"a later reload is without {', '.join(gone)}")

    def stop(self) -> None:
        """Stop polling and loading; what is live stays, and a load that is under way is not waited for."""
        self._stopping.set()
        self._watch.stop()

    def _apply(self, configs: tuple[ModelConfig, ...]) -> tuple[list[str], int]:
        """Put a list in force; return the names that are new, and the generation of the models before."""
        reload.check_list(configs, strict=self._settings.strict)
        reload.check_platforms(self._requested or (), configs if self._requested is not None else ())
        if self._settings.strict:
            self._requested = configs
            self._check_labels(configs)
            self._models.set_labels({config.name: config.labels for config in configs}, at_once=True)
        reload.check_supported(configs)
        if not self._settings.strict:
            for name, pending in self._models.set_labels({config.name: config.labels for config in configs}).items():
                log.warning("labels of %s wait until their versions are available: %s", name, dict(pending))
        added, since = reload.new_names(self._applied, configs), self._models.generation
        self._requested = self._applied = configs
        log.info("serving %d models: %s", len(configs), ", ".join(config.name for config in configs))
        self._watch.follow(configs)
        self._watch.start()
        return added, since

    def _check_labels(self, configs: Sequence[ModelConfig]) -> None:
        allow_new = self._settings.allow_version_labels_for_unavailable_models
        for config in configs:
            available = {version for version, state in self._models.states(config.name).items() if state is State.AVAILABLE}
            current = self._models.labels(config.name)
            if why := labels.refusal(config.name, config.labels, current, available, allow_new=allow_new):
                raise StatusError(Code.FAILED_PRECONDITION, why)

    def _await(
        self, names: Callable[[], Sequence[str]], since: int, stop: threading.Event, deadline: float | None
    ) -> dict[str, list[VersionStatus]] | None:
        """Wait until all are decided: what failed, by model, or None when told to stop. A model that merely waits stops no failure."""
        while not (stop.is_set() or self._stopping.is_set()):
            seen = self._models.generation
            outlooks = {name: self._watch.outlook(name, since) for name in names()}
            missing = [name for name, outlook in outlooks.items() if outlook is not Outlook.SERVED]
            failed = [name for name in missing if outlooks[name] is Outlook.FAILED]
            if not missing or (failed and Outlook.TRYING not in outlooks.values()):
                return {name: self._watch.failures(name, since) for name in failed}
            left = _LOOK_SECONDS if deadline is None else min(deadline - self._clock(), _LOOK_SECONDS)
            if left <= 0:
                raise StatusError(Code.DEADLINE_EXCEEDED, f"not available in time: {', '.join(missing)}; the config is in force")
            self._models.wait_for_change(seen, left)
        return None
