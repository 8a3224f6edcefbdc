"""The Evaluator node: TFX's own, with a verdict that carries reasons."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.evaluator.executor import Executor


class EvaluatorSpec(standard_component_specs.EvaluatorSpec):  # type: ignore[misc] # tfx has no types
    """TFX's, and the size from which on a slice is judged."""

    PARAMETERS = {
        **standard_component_specs.EvaluatorSpec.PARAMETERS,
        "min_slice_examples": component_spec.ExecutionParameter(type=int, optional=True),
        # Only part of the cache key: a verdict of other code is not this code's.
        "code": component_spec.ExecutionParameter(type=str, optional=True),
    }


class Evaluator(base_beam_component.BaseBeamComponent):  # type: ignore[misc] # tfx has no types
    """Measures the candidate, and the champion where there is one, and judges."""

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        schema: types.BaseChannel,
        eval_config: Any,
        min_slice_examples: int,
        code: str,
    ) -> None:
        """``min_slice_examples``: a slice with fewer evaluation rows is reported and not judged. The rest is TFX's."""
        super().__init__(
            EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                schema=schema,
                eval_config=eval_config,
                example_splits=json_utils.dumps(["eval"]),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
                min_slice_examples=min_slice_examples,
                code=code,
            )
        )
