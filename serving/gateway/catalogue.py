"""What models there are, which version of each is live, and what happened to them: from the store and from the servers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from configs.errors import SluicewayError
from serving.gateway.golden_rows import read_rows
from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.store import open_store
from serving.store.base import VersionStore

log = logging.getLogger(__name__)

_SHOWN_EVENTS = 200


class Catalogue:
    """A version store as the page shows it; without one, what the servers know."""

    def __init__(self, folder: str | None, awaited: Path | None = None) -> None:
        """
        Args:
            awaited: the folder where none is configured. Either may come later.
        """
        self._folder = awaited if folder is None else Path(folder).expanduser()
        if self._folder is not None and not self._folder.is_dir():
            log.warning(
                "there is no version store in %s yet: its models and their history are shown as soon as it is there; "
                "gateway.store names another one",
                self._folder,
            )
        self._store: VersionStore | None = None if self._folder is None else open_store("local", str(self._folder))
        self._is_gone = self._folder is not None and not self._folder.is_dir()
        self._examples: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    async def models(self) -> list[str]:
        """The models that the store has."""
        return [] if self._store is None else list(await asyncio.to_thread(self._store.models))

    async def problem(self) -> str | None:
        """What is wrong with the store's folder, which may go and come while we run; the log is told of each change."""
        if self._folder is None:
            return None
        is_gone = not await asyncio.to_thread(self._folder.is_dir)
        told = f"there is no version store in {self._folder}"
        if is_gone and not self._is_gone:
            log.warning("%s any more: models that no server is asked for are not shown, and no history", told)
        elif self._is_gone and not is_gone:
            log.info("the version store in %s is there", self._folder)
        self._is_gone = is_gone
        return told if is_gone else None

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
        if self._store is None or self._folder is None:
            raise StatusError(Code.NOT_FOUND, "this gateway has no version store (its key is store), so it knows no history")
        store = self._store
        if model not in await asyncio.to_thread(store.models):
            if not await asyncio.to_thread(self._folder.is_dir):
                raise StatusError(Code.NOT_FOUND, f"there is no version store in {self._folder}, so there is no history")
            raise StatusError(Code.NOT_FOUND, f"the version store has no model {model}")
        events = await asyncio.to_thread(store.history, model)
        return [asdict(event) for event in events[::-1][:_SHOWN_EVENTS]]

    async def examples(self, model: str, version: int, form: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows for a form, from the golden requests of a published version; none where it has none."""
        known = self._examples.get(model)
        if known is not None and known[0] == version:
            return known[1]
        if self._store is None:
            return []
        store = self._store

        def read() -> list[dict[str, Any]] | None:
            place = next((found.path for found in store.versions(model) if found.number == version), None)
            return None if place is None else read_rows(place, form)

        try:
            found = await asyncio.to_thread(read)
        except SluicewayError:
            return []
        if found is not None:
            # The contents of a version never change, and of a model only the live one is asked for.
            self._examples[model] = version, found
        return found or []


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
