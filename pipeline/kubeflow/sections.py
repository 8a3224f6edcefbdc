"""Which part of the configuration each step is given: its cache must see what decides what it makes, and nothing else."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from msgspec import to_builtins

from configs.errors import ConfigError
from configs.schema import Settings
from pipeline.beam import beam_arguments, check_beam, on_dataflow
from pipeline.nodes import NODES

# Node to the sections that decide what it makes: those it reads, and those the nodes before it read. Some versions of KFP know an input
# in a cache's key by its name alone, so a step's own key has to tell what its inputs were made of. What a run may choose (data, store,
# budget, thresholds) are parameters of the pipeline instead.
_WHAT = ("data", "budgets", "hparams", "change", "slices", "tuner", "infra")
_SECTIONS: dict[str, tuple[str, ...]] = {
    "plan": (*_WHAT, "cache", "launcher", "launchers"),
    "ExampleGen": ("data", "budgets", "beam"),
    "StatisticsGen": ("data", "budgets", "beam"),
    "ExampleValidator": ("data", "budgets"),
    "Transform": ("data", "budgets", "beam"),
    "Tuner": ("data", "budgets", "hparams", "tuner"),
    "Trainer": ("data", "budgets", "hparams", "tuner"),
    "Evaluator": ("change", "slices", "beam"),
    "InfraValidator": ("infra", "launcher", "launchers"),
    "prove": ("infra", "launcher", "launchers"),
}
# Step to the run parameters that decide what it makes.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "plan": ("data", "store", "budget", "thresholds"),
    "ExampleGen": ("data", "budget"),
    "StatisticsGen": ("budget",),
    "ExampleValidator": ("budget",),
    "Transform": ("budget",),
    "Tuner": ("budget",),
    "Trainer": ("budget",),
    "Champion": ("store",),
    "Evaluator": ("thresholds",),
    "Pusher": ("store",),
    "refused": ("store",),
    "prove": ("store",),
}
# What rows are made of. The columns are those of the use case's schema, which belongs to its code.
_ROWS = ("data_digest", "code", "judging")
# Step to the values of the plan that it reads, or that its cache has to see: an image's tag does not tell that its code changed.
PLANNED: dict[str, tuple[str, ...]] = {
    "ExampleGen": _ROWS,
    "StatisticsGen": _ROWS,
    "Schema": ("code",),
    "ExampleValidator": _ROWS,
    "Transform": _ROWS,
    "Tuner": _ROWS,
    "Trainer": _ROWS,
    "Evaluator": ("judging",),
    "Pusher": ("fingerprint",),
}


def overrides(settings: Settings, step: str) -> list[str]:
    """``key=value`` texts, as ``--set`` takes them, that give a step the compiled configuration whatever its image's files say.

    Letters are written as they are: JSON's escapes make two halves of some, which YAML does not put together.
    """
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
    return [f"{key}={json.dumps(value, sort_keys=True, ensure_ascii=False)}" for key, value in sorted(given.items())]


def check_environment(settings: Settings) -> str:
    """The store's place, as the steps see it.

    Raises:
        ConfigError: the use case is in no image, what steps publish would not outlive their containers, or a node or an image is named that
            there is not.
    """
    environment, place = settings.environment, settings.environment_name
    if settings.folder is not None:
        raise ConfigError(f"{settings.folder}: no container has this folder; put its code into the image, its name into pipeline/use_cases")
    check_beam(environment)
    kubeflow = environment.kubeflow
    unknown = sorted(set(kubeflow.steps) - {*NODES, "plan", "refused", "prove"})
    if unknown:
        allowed = ", ".join([*NODES, "plan", "refused", "prove"])
        raise ConfigError(f"{place}: kubeflow.steps.{unknown[0]}: no such step; allowed: {allowed}")
    store = environment.store.path
    if not store or not PurePosixPath(store).is_absolute():
        said = f"store.path: {store!r} is not an absolute path" if store else "store.path is not set"
        raise ConfigError(f"{place}: {said}; steps need one on a volume (--set store.path=/sluiceway/store)")
    roots = [PurePosixPath(volume.path) for volume in kubeflow.volumes]
    if not any(root == PurePosixPath(store) or root in PurePosixPath(store).parents for root in roots):
        mounted = ", ".join(map(str, roots)) or "none"
        raise ConfigError(
            f"{place}: store.path: {store} lies on no volume of kubeflow.volumes ({mounted}): it would go with the step's container"
        )
    if environment.launcher == "docker":
        raise ConfigError(f"{place}: launcher: docker: a step has no Docker engine; use binary, or kubernetes for several versions")
    mount, state = PurePosixPath(environment.launchers.kubernetes.mount), PurePosixPath(environment.state)
    if environment.launcher == "kubernetes" and mount not in state.parents:
        raise ConfigError(
            f"{place}: state: {state} does not lie below launchers.kubernetes.mount ({mount}): pods would not see the candidate"
        )
    return store


def check_rows(settings: Settings) -> None:
    """Hold where a run's rows are against the engine that reads them.

    Raises:
        ConfigError: its workers do not see them.
    """
    source = settings.use_case.data.source
    if on_dataflow(beam_arguments(settings.environment.beam)["ExampleGen"]) and not (source or "").startswith("gs://"):
        said = f"{source!r} is no gs:// place" if source else "is not set"
        raise ConfigError(f"data.source {said}, and Dataflow's workers, which read the rows, see nothing else (--data gs://bucket/trips)")
