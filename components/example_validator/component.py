"""The ExampleValidator node where images may have been left out: TFX's own, and the data gate sees the examples too."""

from __future__ import annotations

from tfx import components as stock
from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import component_spec, standard_artifacts, standard_component_specs
from tfx.utils import json_utils


class ExampleValidatorSpec(standard_component_specs.ExampleValidatorSpec):  # type: ignore[misc] # tfx has no types
    """TFX's, and the examples: what their maker counted is kept with them and is in no statistics."""

    INPUTS = {
        **standard_component_specs.ExampleValidatorSpec.INPUTS,
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }


class ExampleValidator(base_component.BaseComponent):  # type: ignore[misc] # tfx has no types
    """Holds the statistics against the schema; rows, of which nothing is left out, need no more than TFX's."""

    SPEC_CLASS = ExampleValidatorSpec
    EXECUTOR_SPEC = stock.ExampleValidator.EXECUTOR_SPEC

    def __init__(self, *, statistics: types.BaseChannel, schema: types.BaseChannel, examples: types.BaseChannel) -> None:
        """``examples``: those that the statistics are of. The rest is TFX's."""
        super().__init__(
            ExampleValidatorSpec(
                statistics=statistics,
                schema=schema,
                examples=examples,
                exclude_splits=json_utils.dumps([]),
                anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )
