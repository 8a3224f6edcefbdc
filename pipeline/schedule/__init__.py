"""Where schedules are kept, by name. An entry is ``module:Class``; nothing is imported until it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from configs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.schedule.base import Place, Scheduler

SCHEDULERS: dict[str, str] = {
    "local": "pipeline.schedule.local:LocalScheduler",
    "kubernetes": "pipeline.schedule.kubernetes:KubernetesScheduler",
    "kubeflow": "pipeline.schedule.kubeflow:KubeflowScheduler",
}


def load(kind: str) -> Callable[[Place], Scheduler]:
    """The scheduler class of that name; call it with a `Place`. Raises UsageError for an unknown name."""
    if kind not in SCHEDULERS:
        raise UsageError(f"unknown scheduler {kind!r}; allowed: {', '.join(SCHEDULERS)}")
    module, _, attribute = SCHEDULERS[kind].partition(":")
    return cast("Callable[[Place], Scheduler]", getattr(import_module(module), attribute))
