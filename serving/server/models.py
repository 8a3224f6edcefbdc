"""The versions that this process holds, each in its state; requests lease them, loading and unloading change them.

    START -> LOADING -> AVAILABLE -> UNLOADING -> END
                 \\-----------------------------> END with the reason

A version is unloaded only when its last lease has ended, so no request is cut off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server.servable import Servable


@dataclass
class _Entry:
    version: int
    state: State = State.START
    code: Code = Code.OK
    message: str = ""
    servable: Servable | None = None
    leases: int = 0


@dataclass(frozen=True)
class Lease:
    """The right to use a version for one request."""

    version: int
    servable: Servable


class Models:
    """All models of a server. Safe to use from many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._models: dict[str, dict[int, _Entry]] = {}

    @contextmanager
    def lease(self, model: str, version: int | None = None) -> Iterator[Lease]:
        """Hold `version`, or the latest that is available, for the time of a request. Raises StatusError (NOT_FOUND)."""
        with self._changed:
            entry, lease = self._find(model, version)
            entry.leases += 1
        try:
            yield lease
        finally:
            with self._changed:
                entry.leases -= 1
                self._changed.notify_all()

    def _find(self, model: str, version: int | None) -> tuple[_Entry, Lease]:
        ready = {number: entry for number, entry in self._models.get(model, {}).items() if entry.state is State.AVAILABLE}
        wanted = max(ready, default=None) if version is None else version
        if wanted in ready and (servable := ready[wanted].servable) is not None:
            return ready[wanted], Lease(wanted, servable)
        which = f"Latest({model})" if version is None else f"Specific({model}, {version})"
        raise StatusError(Code.NOT_FOUND, f"Servable not found for request: {which}")

    def load(self, model: str, version: int, load: Callable[[], Servable]) -> None:
        """Load a version with `load`. Raises its StatusError, after noting it; other versions keep answering meanwhile."""
        entry = _Entry(version, State.LOADING)
        self._put(model, entry)
        try:
            servable = load()
        except StatusError as error:
            self._put(model, _Entry(version, State.END, error.code, error.message))
            raise
        with self._changed:
            entry.servable, entry.state = servable, State.AVAILABLE
            self._changed.notify_all()

    def unload(self, model: str, version: int) -> None:
        """Take a version out of service: no new request gets it, those under way finish, then its memory is freed."""
        with self._changed:
            entry = self._models[model][version]
            entry.state = State.UNLOADING
            self._changed.notify_all()
            self._changed.wait_for(lambda: entry.leases == 0)
            servable, entry.servable = entry.servable, None
        if servable is not None:
            servable.close()
        with self._changed:
            entry.state = State.END
            self._changed.notify_all()

    def refuse(self, model: str, version: int, code: Code, message: str) -> None:
        """Note a version that will not be loaded, and why."""
        self._put(model, _Entry(version, State.END, code, message))

    def _put(self, model: str, entry: _Entry) -> None:
        with self._changed:
            self._models.setdefault(model, {})[entry.version] = entry
            self._changed.notify_all()

    def statuses(self, model: str, version: int | None = None) -> list[VersionStatus]:
        """All versions ever held, highest first, or the one asked for. Raises StatusError (NOT_FOUND)."""
        with self._changed:
            entries = self._models.get(model, {})
            if version is not None and version not in entries:
                raise StatusError(Code.NOT_FOUND, f"Could not find version {version} of model {model}")
            if not entries:
                raise StatusError(Code.NOT_FOUND, f"Could not find any versions of model {model}")
            chosen = sorted(entries.values(), key=lambda entry: -entry.version) if version is None else [entries[version]]
            return [VersionStatus(entry.version, entry.state, entry.code, entry.message) for entry in chosen]

    def states(self, model: str) -> dict[int, State]:
        """The state of every version ever held."""
        with self._changed:
            return {version: entry.state for version, entry in self._models.get(model, {}).items()}
