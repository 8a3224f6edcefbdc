"""Version directories whose one file says how a load of them ends, and the loader that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from serving.protocol.status import Code, State, StatusError
from serving.server.model_config import ModelConfig, VersionPolicy
from serving.server.models import Models
from serving.store.manifest import MANIFEST, Identity, Manifest, content_digest, digest_files
from tests.fakes.servable import FakeServable


def make_version(base: Path, version: int | str, content: str = "ok") -> Path:
    """A version that loads, or fails with the code that its content names; it appears in one piece, as a publisher makes it."""
    staging = base / f".{version}"
    staging.mkdir(parents=True)
    (staging / "saved_model.pb").write_text(content)
    return staging.rename(base / str(version))


def write_manifest(path: Path, **changes: object) -> None:
    files = digest_files(path)
    manifest = Manifest("m", 1, "2024-01-01T00:00:00+00:00", content_digest(files), files, Identity("run", "case"))
    (path / MANIFEST).parent.mkdir(exist_ok=True)
    (path / MANIFEST).write_text(json.dumps({**json.loads(manifest.to_json()), **changes}))


def config(name: str, base: Path | str, policy: VersionPolicy | None = None, **labels: int) -> ModelConfig:
    return ModelConfig(name, str(base), policy=policy or VersionPolicy(), labels=labels)


class FakeLoader:
    """Counts the loads of each version, as (model, version name). What is in `meanwhile` happens during the next one."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.meanwhile: list[Callable[[], None]] = []

    def __call__(self, model: ModelConfig, path: Path) -> FakeServable:
        self.calls.append((model.name, path.name))
        while self.meanwhile:
            self.meanwhile.pop()()
        content = (path / "saved_model.pb").read_text() if path.is_dir() else "NOT_FOUND"
        if content != "ok":
            raise StatusError(Code[content], f"{path.name} is {content}")
        return FakeServable()


def until(models: Models, states: dict[str, dict[int, State]]) -> None:
    """Wait, up to five seconds, for other threads to get there."""
    for _ in range(500):
        if {name: models.states(name) for name in states} == states:
            return
        models.wait_for_change(models.generation, 0.01)
    assert {name: models.states(name) for name in states} == states
