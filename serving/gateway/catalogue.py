"""What models there are, which version of each is live, and what happened to them: from the store and from the servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from configs.errors import SluicewayError, UsageError
from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.store import open_store
from serving.store.base import VersionStore

_SHOWN_EVENTS = 200


class Catalogue:
    """A version store as the page shows it; without one, what the servers know."""

    def __init__(self, folder: str | None) -> None:
        """Raises UsageError: there is no such folder."""
        self._store: VersionStore | None = None
        if folder is not None:
            path = Path(folder).expanduser()
            if not path.is_dir():
                raise UsageError(f"gateway.store: there is no folder {folder}")
            self._store = open_store("local", str(path))

    async def models(self) -> list[str]:
        """The models that the store has."""
        return [] if self._store is None else list(await asyncio.to_thread(self._store.models))

    async def published(self, model: str) -> dict[int, dict[str, Any]]:
        """Published versions with their metrics, by number."""
        if self._store is None:
            return {}
        store = self._store
        try:
            found = await asyncio.to_thread(store.versions, model)
        except SluicewayError:
            return {}
        return {
            version.number: {
                "published_at": version.manifest.published_at,
                "metrics": dict(version.manifest.identity.metrics),
                "champion": version.manifest.identity.champion,
                "run_id": version.manifest.identity.run_id,
            }
            for version in found
        }

    async def history(self, model: str) -> list[dict[str, Any]]:
        """The newest events, newest first. Raises StatusError where there is no store, or nothing of this model."""
        if self._store is None:
            raise StatusError(Code.NOT_FOUND, "this gateway has no version store (gateway.store), so it knows no history")
        store = self._store
        if model not in await asyncio.to_thread(store.models):
            raise StatusError(Code.NOT_FOUND, f"the version store has no model {model}")
        events = await asyncio.to_thread(store.history, model)
        return [asdict(event) for event in events[::-1][:_SHOWN_EVENTS]]


def version_rows(statuses: Sequence[VersionStatus], published: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every version that is served or published, newest first: its state, what it was published with, and what is wrong with it."""
    by_number = {status.version: status for status in statuses}
    rows = []
    for number in sorted({*by_number, *published}, reverse=True):
        status = by_number.get(number)
        row: dict[str, Any] = {"version": number, "state": status.state.name if status else "NOT_SERVED", **published.get(number, {})}
        if status is not None and status.code is not Code.OK:
            row["problem"] = status.message or status.code.name
        rows.append(row)
    return rows


def live_version(statuses: Sequence[VersionStatus]) -> int | None:
    """The version that a request without one gets."""
    return max((status.version for status in statuses if status.state is State.AVAILABLE), default=None)
