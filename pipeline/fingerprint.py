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
from serving.launchers import targets

_ROOT = Path(__file__).parents[1]
# What may change a model without any configuration changing; the use case's own folder comes to it.
_TRAINING = (
    "pipeline/training",
    "pipeline/tasks",
    "pipeline/use_cases/base.py",
    "serving/golden.py",
    "serving/rows.py",
    "serving/protocol",
)
# What may change a verdict on it.
_JUDGING = (
    "pipeline/gates.py",
    "pipeline/metrics.py",
    "pipeline/definition.py",
    "components",
    "serving/clients",
    "serving/launchers",
    "serving/server",
)
_TRAINING_PACKAGES = ("tensorflow", "tfx", "tensorflow-transform", "keras", "keras-tuner")
_JUDGING_PACKAGES = ("tensorflow-data-validation", "tensorflow-model-analysis", "tfx-bsl", "pyarrow", "pillow")


def training_digest(use_case: UseCase) -> str:
    """Digest of the code that transforms, trains and exports, and of the versions of the libraries that do the work."""
    return _digest([*[_ROOT / part for part in _TRAINING], use_case.folder], _TRAINING_PACKAGES)


def judging_digest() -> str:
    """Digest of the code that reads rows, judges and serves for the gates, and of its libraries' versions."""
    return _digest([_ROOT / part for part in _JUDGING], _JUDGING_PACKAGES)


def run_fingerprint(settings: Settings, data_digest: str, training: str) -> str:
    """Digest of all that decides what a run makes: data, configuration of the use case, budget and code.

    The environment's places (folders, ports, Beam arguments) do not decide it.
    """
    what = to_builtins(settings.use_case)
    del what["budgets"], what["data"]["source"]
    parts = {
        "data": data_digest,
        "code": [training, judging_digest()],
        "use_case": what,
        "budget": to_builtins(settings.budget),
        "launcher": [target.deciding for target in targets(settings.environment)],
    }
    return "sha256:" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(roots: Iterable[Path], packages: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for root in roots:
        # Every file that is not made by running: a use case may read a word list as well as code.
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        for path in files:
            name = path.relative_to(root.parent).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for package in packages:
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
