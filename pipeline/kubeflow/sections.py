"""Which part of the configuration each step is given: a cache that knows content must not see what a node does not read."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from msgspec import to_builtins

from configs.errors import ConfigError
from configs.schema import Settings
from pipeline.beam import check_beam
from pipeline.nodes import NODES

# Node to the sections it reads. What a run may choose (data, store, budget, thresholds) are parameters of the pipeline instead.
_WHAT = ("data", "budgets", "hparams", "change", "slices", "tuner", "infra")
_SECTIONS: dict[str, tuple[str, ...]] = {
    "plan": (*_WHAT, "cache", "launcher", "launchers"),
    "ExampleGen": ("data", "budgets", "beam"),
    "StatisticsGen": ("beam",),
    "Transform": ("beam",),
    "Tuner": ("hparams", "budgets", "tuner"),
    "Trainer": ("hparams", "budgets", "tuner"),
    "Evaluator": ("change", "slices", "beam"),
    "InfraValidator": ("infra", "launcher", "launchers"),
    "prove": ("infra", "launcher", "launchers"),
}
# Step to the run parameters it reads.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "plan": ("data", "store", "budget", "thresholds"),
    "ExampleGen": ("data", "budget"),
    "Tuner": ("budget",),
    "Trainer": ("budget",),
    "Champion": ("store",),
    "Evaluator": ("thresholds",),
    "Pusher": ("store",),
    "refused": ("store",),
    "prove": ("store",),
}
# Step to the values of the plan that it reads, or that its cache has to see: an image's tag does not tell that its code changed.
PLANNED: dict[str, tuple[str, ...]] = {
    "ExampleGen": ("data_digest", "judging"),
    "StatisticsGen": ("judging",),
    "Schema": ("code",),
    "ExampleValidator": ("judging",),
    "Transform": ("code",),
    "Tuner": ("code",),
    "Trainer": ("code",),
    "Evaluator": ("judging",),
    "Pusher": ("fingerprint",),
}


def overrides(settings: Settings, step: str) -> list[str]:
    """``key=value`` texts, as ``--set`` takes them, that give a step the compiled configuration whatever its image's files say."""
    given: dict[str, Any] = {"state": settings.environment.state}
    for section in _SECTIONS.get(step, ()):
        owner: Any = settings.use_case if section in _WHAT else settings.environment
        given[section] = to_builtins(getattr(owner, section))
    if "data" in given:
        # The run's own parameter says where the rows are.
        del given["data"]["source"]
    if "launchers" in given:
        # Only the one that is chosen: what another would need decides nothing.
        chosen = given["launcher"]
        launchers: Any = given["launchers"]
        given["launchers"] = {chosen: launchers[chosen]} if chosen in launchers else {}
    return [f"{key}={json.dumps(value, sort_keys=True)}" for key, value in sorted(given.items())]


def check_environment(settings: Settings) -> str:
    """The store's place, as the steps see it.

    Raises:
        ConfigError: what steps publish would not outlive their containers, or a node or an image is named that there is not.
    """
    environment, place = settings.environment, settings.environment_name
    check_beam(environment)
    kubeflow = environment.kubeflow
    unknown = sorted(set(kubeflow.steps) - {*NODES, "plan", "refused", "prove"})
    if unknown:
        allowed = ", ".join([*NODES, "plan", "refused", "prove"])
        raise ConfigError(f"{place}: kubeflow.steps.{unknown[0]}: no such step; allowed: {allowed}")
    store = environment.store.path
    if not store or not PurePosixPath(store).is_absolute():
        raise ConfigError(
            f"{place}: store.path: {store!r} is not an absolute path; steps need one on a volume (--set store.path=/sluiceway/store)"
        )
    roots = [PurePosixPath(volume.path) for volume in kubeflow.volumes]
    if not any(root == PurePosixPath(store) or root in PurePosixPath(store).parents for root in roots):
        mounted = ", ".join(map(str, roots)) or "none"
        raise ConfigError(
            f"{place}: store.path: {store} lies on no volume of kubeflow.volumes ({mounted}): it would go with the step's container"
        )
    return store
