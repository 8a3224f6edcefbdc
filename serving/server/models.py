"""The versions that this process holds, each in its state; requests lease them, loading and unloading change them.

    START -> LOADING -> AVAILABLE -> UNLOADING -> END
                 \\-----------------------------> END with the reason

A version is unloaded only when its last lease has ended, so no request is cut off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server import labels
from serving.server.servable import Servable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lease:
    """The right to use a version for one request."""

    version: int
    servable: Servable


@dataclass
class _Entry:
    """One life of a version. ``lease`` is there while it may be used; ``since`` is the generation of its last change."""

    version: int
    state: State = State.START
    code: Code = Code.OK
    message: str = ""
    lease: Lease | None = None
    leases: int = 0
    since: int = 0

    def status(self) -> VersionStatus:
        return VersionStatus(self.version, self.state, self.code, self.message)


@dataclass
class _Model:
    """All versions ever held, and what a request needs at once: those that answer, the latest of them, the labels."""

    entries: dict[int, _Entry] = field(default_factory=dict)
    serving: dict[int, _Entry] = field(default_factory=dict)
    latest: _Entry | None = None
    labels: labels.Labels = labels.NONE


class _Hold:
    """A lease for the time of a block. A class, not a generator: this is on the way of every request."""

    __slots__ = ("_entry", "_label", "_model", "_models", "_version")

    def __init__(self, models: Models, model: str, version: int | None, label: str | None) -> None:
        self._models, self._model, self._version, self._label = models, model, version, label

    def __enter__(self) -> Lease:
        with self._models._lock:
            entry, lease = self._models._find(self._model, self._version, self._label)
            entry.leases += 1
        self._entry = entry
        return lease

    def __exit__(self, *_: object) -> None:
        with self._models._lock:
            self._entry.leases -= 1
            if self._entry.leases == 0 and self._entry.state is not State.AVAILABLE:
                self._models._changed.notify_all()


class Models:
    """All models of a server. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._models: dict[str, _Model] = {}
        self._generation = 0

    def lease(self, model: str, version: int | None = None, label: str | None = None) -> AbstractContextManager[Lease]:
        """Hold `version`, the one `label` stands for, or the latest that is available, for the time of a request.

        Entering raises StatusError: NOT_FOUND for a version that does not answer, INVALID_ARGUMENT for a label that nobody assigned.
        """
        return _Hold(self, model, version, label)

    def _find(self, name: str, version: int | None, label: str | None) -> tuple[_Entry, Lease]:
        model = self._models.get(name)
        if label is not None:
            version = None if model is None else model.labels.assigned.get(label)
            if version is None:
                raise StatusError(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
        if model is not None:
            entry = model.latest if version is None else model.serving.get(version)
            if entry is not None and entry.lease is not None:
                return entry, entry.lease
        which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise StatusError(Code.NOT_FOUND, f"Servable not found for request: {which}")

    def announce(self, model: str, version: int) -> None:
        """Note a version that will be loaded as soon as it is its turn."""
        with self._lock:
            self._enter(model, _Entry(version))

    def load(self, model: str, version: int, load: Callable[[], Servable]) -> None:
        """Load a version with `load`; other versions keep answering meanwhile.

        Raises what `load` raises, after noting it, always as a StatusError.
        """
        entry = _Entry(version, State.LOADING)
        with self._lock:
            self._enter(model, entry)
        try:
            servable = load()
        except Exception as error:  # whatever a loader meets ends this version, not the thread that loads others
            reason = as_status(error)
            with self._lock:
                entry.code, entry.message = reason.code, reason.message
                self._change(model, entry, State.END)
            if reason is error:
                raise
            raise reason from error
        with self._lock:
            entry.lease = Lease(version, servable)
            self._change(model, entry, State.AVAILABLE)

    def unload(self, model: str, version: int) -> None:
        """Take a version out of service: no new request gets it, those under way finish, then its memory is freed."""
        if (finish := self.withdraw(model, version)) is not None:
            finish()

    def withdraw(self, model: str, version: int) -> Callable[[], None] | None:
        """Let no new request have a version, at once; what is returned waits for those under way, then frees its memory.

        None, and no change, when the version does not answer anyway.
        """
        with self._lock:
            held = self._models.get(model)
            entry = held.serving.get(version) if held else None
            if entry is None:
                return None
            self._change(model, entry, State.UNLOADING)
        return lambda: self._drain(model, entry)

    def _drain(self, model: str, entry: _Entry) -> None:
        with self._lock:
            self._changed.wait_for(lambda: entry.leases == 0)
            lease, entry.lease = entry.lease, None
        try:
            if lease is not None:
                lease.servable.close()
        except Exception:  # the version is gone for requests, whatever its memory says
            log.exception("closing %s version %d failed", model, entry.version)
        finally:
            with self._lock:
                self._change(model, entry, State.END)

    def refuse(self, model: str, version: int, code: Code, message: str) -> None:
        """Note a version that will not be loaded, and why. Saying it again is no change."""
        with self._lock:
            known = self._models[model].entries.get(version) if model in self._models else None
            if known is None or (known.state, known.code, known.message) != (State.END, code, message):
                self._enter(model, _Entry(version, State.END, code, message))

    def _enter(self, name: str, entry: _Entry) -> None:
        model = self._models.setdefault(name, _Model())
        model.entries[entry.version] = entry
        self._change(name, entry, entry.state)

    def _change(self, name: str, entry: _Entry, state: State) -> None:
        """Give an entry its new state and keep ready what requests ask for."""
        model = self._models[name]
        was, entry.state = entry.state, state
        if state is State.AVAILABLE:
            model.serving[entry.version] = entry
        elif was is State.AVAILABLE:
            model.serving.pop(entry.version, None)
        if State.AVAILABLE in (was, state):
            model.latest = model.serving[max(model.serving)] if model.serving else None
            model.labels = labels.settle(model.labels.wanted, model.labels.assigned, model.serving)
        self._generation += 1
        entry.since = self._generation
        self._changed.notify_all()

    def set_labels(self, wanted: Mapping[str, Mapping[str, int]], *, at_once: bool = False) -> dict[str, Mapping[str, int]]:
        """Replace the labels of all models by `wanted` (model to label to version); return, by model, those that have to wait.

        A label that is in use moves only when its new version is available, unless `at_once`.
        """
        with self._lock:
            for name in [*self._models, *wanted]:
                model, targets = self._models.setdefault(name, _Model()), dict(wanted.get(name, {}))
                current = targets if at_once else model.labels.assigned
                model.labels = labels.settle(targets, current, model.serving)
            self._generation += 1
            self._changed.notify_all()
            return {name: pending for name in wanted if (pending := self._models[name].labels.pending)}

    def labels(self, model: str) -> Mapping[str, int]:
        """The version that each label of a model stands for now."""
        with self._lock:
            return dict(self._models[model].labels.assigned) if model in self._models else {}

    def statuses(self, model: str, version: int | None = None) -> list[VersionStatus]:
        """All versions ever held, highest first, or the one asked for. Raises StatusError (NOT_FOUND)."""
        with self._lock:
            entries = self._models[model].entries if model in self._models else {}
            if version is not None and version not in entries:
                raise StatusError(Code.NOT_FOUND, f"Could not find version {version} of model {model}")
            if not entries:
                raise StatusError(Code.NOT_FOUND, f"Could not find any versions of model {model}")
            chosen = sorted(entries, reverse=True) if version is None else [version]
            return [entries[number].status() for number in chosen]

    def changed_since(self, model: str, generation: int) -> list[VersionStatus]:
        """The versions whose state changed after `generation`, in the order of their last changes."""
        with self._lock:
            entries = self._models[model].entries.values() if model in self._models else ()
            return [entry.status() for entry in sorted(entries, key=lambda entry: entry.since) if entry.since > generation]

    def states(self, model: str) -> dict[int, State]:
        """The state of every version ever held."""
        with self._lock:
            return {number: entry.state for number, entry in self._models[model].entries.items()} if model in self._models else {}

    def names(self) -> list[str]:
        """Every model that has, or once had, a version."""
        with self._lock:
            return sorted(name for name, model in self._models.items() if model.entries)

    def ready(self, model: str) -> bool:
        """Whether some version of a model answers."""
        with self._lock:
            return model in self._models and self._models[model].latest is not None

    def all_ready(self, models: Collection[str]) -> bool:
        """Whether each of the models answers with some version."""
        with self._lock:
            return all(name in self._models and self._models[name].latest is not None for name in models)

    @property
    def generation(self) -> int:
        """How often a state or a label has changed."""
        with self._lock:
            return self._generation

    def wait_for_change(self, seen: int, timeout: float | None = None) -> int:
        """Wait, up to `timeout` seconds, until the generation is another than `seen`; return the one there is."""
        with self._lock:
            self._changed.wait_for(lambda: self._generation != seen, timeout)
            return self._generation


def as_status(error: Exception) -> StatusError:
    """The error itself, or what stands for one that no loader should raise; memory may be there again later."""
    if isinstance(error, StatusError):
        return error
    code = Code.RESOURCE_EXHAUSTED if isinstance(error, MemoryError) else Code.INTERNAL
    return StatusError(code, f"{type(error).__name__}: {error}")
