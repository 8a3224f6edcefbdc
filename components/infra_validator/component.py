"""The InfraValidator node: boots a model server on the candidate and holds its answers against the trainer's."""

from __future__ import annotations

from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.infra_validator.executor import Executor
from serving.launchers.target import Target, dump


class InfraValidatorSpec(types.ComponentSpec):  # type: ignore[misc] # tfx has no types
    """In: the candidate. Out: a blessing with the verdict inside."""

    PARAMETERS = {
        "model_name": component_spec.ExecutionParameter(type=str),
        "targets": component_spec.ExecutionParameter(type=str),
        "load_seconds": component_spec.ExecutionParameter(type=float),
        "tolerance": component_spec.ExecutionParameter(type=float),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }
    OUTPUTS = {"blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)}


class InfraValidator(base_component.BaseComponent):  # type: ignore[misc] # tfx has no types
    """TFX's own asks only whether a call succeeded, and needs Docker; this one compares answers, with any launcher."""

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        *,
        model_name: str,
        targets: Sequence[Target],
        load_seconds: float,
        tolerance: float,
    ) -> None:
        """``model_blessing`` orders this gate after the evaluator: no server is booted for a model that was refused.

        ``targets``: the servers to boot the candidate on; it must pass on each.
        """
        super().__init__(
            InfraValidatorSpec(
                model=model,
                model_blessing=model_blessing,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
                model_name=model_name,
                targets=dump(targets),
                load_seconds=float(load_seconds),
                tolerance=float(tolerance),
            )
        )
