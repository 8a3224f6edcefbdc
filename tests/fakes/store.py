"""A VersionStore in memory, by the same rules as the real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from serving.errors import ModelLoadError, NotPublished, StoreError, VersionDamaged
from serving.store.base import Version
from serving.store.history import Event, highest_version
from serving.store.manifest import MANIFEST, Identity, Manifest, content_digest, differences
from serving.store.names import checked_model, next_version
from serving.verdict import Verdict


class FakeStore:
    """``content`` holds the files of each version, ``{model: {number: {name: bytes}}}``; a test may change or drop them.

    The path of a version is a name only: nothing lies there.
    """

    def __init__(self) -> None:
        self.content: dict[str, dict[int, dict[str, bytes]]] = {}
        self._manifests: dict[tuple[str, int], Manifest] = {}
        self._ledger: dict[str, list[Event]] = {}

    def publish(
        self, model: str, model_dir: Path, identity: Identity, *, digest: str | None = None, over: int | Literal["any"] | None = "any"
    ) -> Version:
        live = self.live(model)
        if over not in ("any", live.number if live else None):
            raise StoreError(f"another version of {model} went live meanwhile")
        if not (model_dir / "saved_model.pb").is_file():
            raise ModelLoadError(f"{model_dir}: no saved_model.pb; not a SavedModel")
        present = self.content.setdefault(checked_model(model), {})
        number = next_version(list(present), highest_version(self.history(model)))
        found = {path.relative_to(model_dir).as_posix(): path.read_bytes() for path in model_dir.rglob("*") if path.is_file()}
        files = {name: content for name, content in found.items() if name != MANIFEST}
        digests = _digests(files)
        if digest not in (None, content_digest(digests)):
            raise StoreError(f"{model_dir} is not the model that was judged")
        present[number] = files
        manifest = Manifest(model, number, _now(), content_digest(digests), digests, identity)
        self._manifests[model, number] = manifest
        event = Event(manifest.published_at, "publish", model, identity.run_id, number, manifest.digest, asdict(identity))
        self._ledger.setdefault(model, []).append(event)
        return self._version(model, number)

    def versions(self, model: str) -> list[Version]:
        return [self._version(model, number) for number in sorted(self.content.get(checked_model(model), {}))]

    def live(self, model: str) -> Version | None:
        versions = self.versions(model)
        return versions[-1] if versions else None

    def damaged(self, model: str) -> dict[int, str]:
        checked_model(model)
        return {}

    def refuse(self, model: str, verdict: Verdict, run_id: str) -> Event:
        event = Event(_now(), "refuse", checked_model(model), run_id, details=verdict.as_json())
        self._ledger.setdefault(model, []).append(event)
        return event

    def history(self, model: str) -> list[Event]:
        return list(self._ledger.get(checked_model(model), []))

    def verify(self, model: str, number: int) -> None:
        if number not in self.content.get(checked_model(model), {}):
            raise NotPublished(f"{model} has no version {number}")
        wrong = differences(self._manifests[model, number].files, _digests(self.content[model][number]))
        if wrong:
            raise VersionDamaged(f"{model} version {number}: {'; '.join(wrong)}")

    def models(self) -> Sequence[str]:
        return sorted({*self.content, *self._ledger})

    def describe(self) -> dict[str, Any]:
        return {"kind": "fake"}

    def _version(self, model: str, number: int) -> Version:
        return Version(model, number, Path("memory") / model / str(number), self._manifests[model, number])


def _digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
