"""What a run is made of, as digests: with the same ones there is nothing new to train."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from configs.paths import expanded
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


def files_digest(use_case: UseCase, configured: Mapping[str, Any]) -> str:
    """Digest of the files and folders here that hyperparameters name, such as weights to begin with; "" where they name none.

    Args:
        configured: the hyperparameters of the configuration.
    """
    hparams = use_case.merged_hparams(configured)
    named = [expanded(str(hparams[key])) for key in use_case.files if hparams[key]]
    found = [path for path in named if path.exists()]
    return _digest(found, ()) if found else ""


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
        for path in [root] if root.is_file() else sorted(_made_by_hand(root)):
            name = path.relative_to(root.parent).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for package in packages:
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def _made_by_hand(root: Path) -> Iterator[Path]:
    """Every file that is not made by running or by an editor: a use case may read a word list as well as code."""
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            yield path


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
