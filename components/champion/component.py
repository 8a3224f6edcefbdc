"""The Champion node: the live version from the store, for the evaluator to compare with."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.champion.executor import Executor


class ChampionSpec(types.ComponentSpec):  # type: ignore[misc] # tfx has no types
    """In: the candidate. Out: the champion, or nothing."""

    PARAMETERS = {
        "model_name": component_spec.ExecutionParameter(type=str),
        "store_kind": component_spec.ExecutionParameter(type=str),
        "store_path": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {"candidate": component_spec.ChannelParameter(type=standard_artifacts.Model)}
    OUTPUTS = {"champion": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class Champion(base_component.BaseComponent):  # type: ignore[misc] # tfx has no types
    """Resolves the champion. Never cached: what is live changes without this pipeline."""

    SPEC_CLASS = ChampionSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, candidate: types.BaseChannel, *, model_name: str, store_kind: str, store_path: str) -> None:
        champion = types.Channel(type=standard_artifacts.Model)
        super().__init__(
            ChampionSpec(candidate=candidate, champion=champion, model_name=model_name, store_kind=store_kind, store_path=store_path)
        )
