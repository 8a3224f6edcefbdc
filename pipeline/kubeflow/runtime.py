"""Which of a command's overrides are a run's parameters, and which make another pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import UsageError
from configs.schema import Settings
from pipeline.kubeflow.package import Package

# The parameter of the compiled pipeline that an override becomes: the same version of the pipeline then runs with another value.
_PARAMETERS = {"data.source": "data", "store.path": "store", "budget": "budget"}
_THRESHOLDS = "thresholds"
# What says where the server is and who asks it; no part of the pipeline.
_ASKING = frozenset(f"kubeflow.{key}" for key in ("host", "namespace", "token_env", "experiment", "service_account", "timezone"))


@dataclass(frozen=True)
class Split:
    """``compiled`` go into the pipeline; ``parameters`` are the names of those that a run is given."""

    compiled: tuple[str, ...]
    parameters: frozenset[str]


def split(overrides: Sequence[str]) -> Split:
    """Tell the two kinds of ``key=value`` texts apart."""
    compiled, parameters = [], set()
    for text in overrides:
        key = text.partition("=")[0].strip()
        name = _THRESHOLDS if key == _THRESHOLDS or key.startswith(f"{_THRESHOLDS}.") else _PARAMETERS.get(key)
        if name is not None:
            parameters.add(name)
        elif key not in _ASKING:
            compiled.append(text)
    return Split(tuple(compiled), frozenset(parameters))


def values(settings: Settings, names: frozenset[str], package: Package) -> dict[str, Any]:
    """The values of these parameters in the effective configuration.

    Raises:
        UsageError: the pipeline takes no such parameter.
    """
    missing = sorted(names - package.parameters)
    if missing:
        taken = ", ".join(sorted(package.parameters)) or "none"
        raise UsageError(f"the compiled pipeline {package.name} takes no parameter {missing[0]!r}; it takes: {taken}")
    known: Mapping[str, Any] = {
        "data": settings.use_case.data.source or "shipped",
        "store": settings.environment.store.path or "",
        "budget": settings.environment.budget,
        _THRESHOLDS: settings.use_case.thresholds.given(),
    }
    return {name: known[name] for name in sorted(names)}


def compiled(use_case: str, environment: str, split_overrides: Split) -> Package:
    """The use case's pipeline, compiled as its configuration says, without what only one run is given."""
    from configs.load import load_settings
    from pipeline.cli.noise import kept_in
    from pipeline.kubeflow.package import read

    settings = load_settings(use_case, environment, split_overrides.compiled)
    # TFX and TensorFlow talk while they are imported, to descriptors that only this can turn away.
    with tempfile.TemporaryDirectory(prefix="sluiceway-compile-") as folder, kept_in(Path(folder) / "log.txt", verbose=False):
        from pipeline.kubeflow.compile import compile_pipeline

        text = compile_pipeline(settings)
    return read(text, source=f"the compiled {use_case}")
