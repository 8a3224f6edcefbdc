"""TFX's evaluation, then our verdict on it: TFMA alone cannot leave small slices unjudged, and gives no reasons."""

from __future__ import annotations

from typing import Any

from tfx.components.evaluator import executor as stock

from components import artifacts
from components.artifacts import only
from components.evaluator.judge import judge


class Executor(stock.Executor):  # type: ignore[misc] # tfx has no types
    """Writes TFX's outputs and puts the verdict, with its reasons, into the blessing."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: Any) -> None:  # noqa: N802 - TFX's name
        super().Do(input_dict, output_dict, exec_properties)
        evaluation = only(output_dict, "evaluation")
        failures = artifacts.evaluation_failures(evaluation)
        examples = artifacts.evaluation_examples(evaluation)
        verdict = judge(failures, examples, exec_properties["min_slice_examples"])
        artifacts.write_verdict(only(output_dict, "blessing"), verdict, artifacts.model_dir(only(input_dict, "model")))
