"""Version directories whose one file says how a load of them ends, and the loader that reads it."""

from __future__ import annotations

import json
from pathlib import Path

from serving.protocol.status import Code, StatusError
from serving.server.model_config import ModelConfig, VersionPolicy
from serving.store.manifest import MANIFEST, Identity, Manifest, content_digest, digest_files
from tests.fakes.servable import FakeServable


def make_version(base: Path, version: int | str, content: str = "ok") -> Path:
    """A version that loads, or fails with the code that its content names."""
    path = base / str(version)
    path.mkdir(parents=True)
    (path / "saved_model.pb").write_text(content)
    return path


def write_manifest(path: Path, **changes: object) -> None:
    files = digest_files(path)
    manifest = Manifest("m", 1, "2024-01-01T00:00:00+00:00", content_digest(files), files, Identity("run", "case"))
    (path / MANIFEST).parent.mkdir(exist_ok=True)
    (path / MANIFEST).write_text(json.dumps({**json.loads(manifest.to_json()), **changes}))


def config(name: str, base: Path | str, policy: VersionPolicy | None = None, **labels: int) -> ModelConfig:
    return ModelConfig(name, str(base), policy=policy or VersionPolicy(), labels=labels)


class FakeLoader:
    """Counts the loads of each version, as (model, version name)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __call__(self, model: ModelConfig, path: Path) -> FakeServable:
        self.calls.append((model.name, path.name))
        content = (path / "saved_model.pb").read_text() if path.is_dir() else "NOT_FOUND"
        if content != "ok":
            raise StatusError(Code[content], f"{path.name} is {content}")
        return FakeServable()
