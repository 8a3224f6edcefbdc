"""What a run is made of, as digests: with the same ones there is nothing new to train."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from msgspec import to_builtins

from configs.schema import Settings
from pipeline.use_cases.base import UseCase

_ROOT = Path(__file__).parents[1]
# What may change a model, a verdict or an export without any configuration changing.
_CODE = ("pipeline/training", "pipeline/gates.py", "pipeline/definition.py", "components", "serving/golden.py")
_PACKAGES = ("tensorflow", "tfx", "tensorflow-transform", "keras")


def code_digest(use_case: UseCase) -> str:
    """Digest of the sources that transform, train and judge, and of the versions of the libraries that do the work."""
    digest = hashlib.sha256()
    roots = [_ROOT / part for part in _CODE] + [use_case.folder]
    for path in _sources(roots):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for package in _PACKAGES:
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def run_fingerprint(settings: Settings, data_digest: str, code: str) -> str:
    """Digest of all that decides what a run makes: data, configuration of the use case, budget and code.

    The environment's places (folders, ports, Beam arguments) do not decide it.
    """
    what = to_builtins(settings.use_case)
    del what["budgets"], what["data"]["source"]
    parts = {"data": data_digest, "code": code, "use_case": what, "budget": to_builtins(settings.budget)}
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sources(roots: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for root in roots:
        files = [root] if root.is_file() else sorted(root.rglob("*"))
        found += [path for path in files if path.suffix in {".py", ".pbtxt"}]
    return found


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
