"""The Pusher node: publishes a blessed candidate through the version store."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.pusher.executor import Executor


class PusherSpec(types.ComponentSpec):  # type: ignore[misc] # tfx has no types
    """In: the candidate, its evaluation, what it was compared with, both blessings. Out: what was pushed."""

    PARAMETERS = {
        name: component_spec.ExecutionParameter(type=str) for name in ("model_name", "store_kind", "store_path", "run_id", "fingerprint")
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "champion": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True, allow_empty=True),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {"pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel)}


class Pusher(base_component.BaseComponent):  # type: ignore[misc] # tfx has no types
    """TFX's own copies into the final folder and calls a collision a success; this one publishes all or nothing. Never cached."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        *,
        model: types.BaseChannel,
        evaluation: types.BaseChannel,
        champion: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        model_name: str,
        store_kind: str,
        store_path: str,
        run_id: str,
        fingerprint: str,
    ) -> None:
        super().__init__(
            PusherSpec(
                model=model,
                evaluation=evaluation,
                champion=champion,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
                model_name=model_name,
                store_kind=store_kind,
                store_path=store_path,
                run_id=run_id,
                fingerprint=fingerprint,
            )
        )
