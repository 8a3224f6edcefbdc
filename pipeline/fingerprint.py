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
# What may change a model without any configuration changing; the use case's own folder comes to it.
_TRAINING = ("pipeline/training", "serving/golden.py")
# What may change a verdict on it.
_JUDGING = ("pipeline/gates.py", "pipeline/definition.py", "components")
_PACKAGES = ("tensorflow", "tfx", "tensorflow-transform", "keras")


def training_digest(use_case: UseCase) -> str:
    """Digest of the code that transforms, trains and exports, and of the versions of the libraries that do the work."""
    digest = hashlib.sha256(_digest([*[_ROOT / part for part in _TRAINING], use_case.folder]).encode())
    for package in _PACKAGES:
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def run_fingerprint(settings: Settings, data_digest: str, training: str) -> str:
    """Digest of all that decides what a run makes: data, configuration of the use case, budget and code.

    The environment's places (folders, ports, Beam arguments) do not decide it.
    """
    judging = _digest([_ROOT / part for part in _JUDGING])
    what = to_builtins(settings.use_case)
    del what["budgets"], what["data"]["source"]
    parts = {"data": data_digest, "code": [training, judging], "use_case": what, "budget": to_builtins(settings.budget)}
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(roots: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for root in roots:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.suffix in {".py", ".pbtxt"})
        for path in files:
            name = path.relative_to(root).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
