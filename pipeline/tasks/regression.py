"""A number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from configs.errors import ConfigError
from pipeline.tasks.base import Measure, Task

VALUE = "value"


class Regression(Task):
    """The model's output is [batch, 1], in the unit of the label."""

    measures: ClassVar[Mapping[str, Measure]] = {
        "mae": Measure("MeanAbsoluteError", "lower"),
        "rmse": Measure("RootMeanSquaredError", "lower"),
    }
    prediction = VALUE
    signature = "regress"
    method = "tensorflow/serving/regress"

    def outputs(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """``value`` float32 [batch]."""
        import tensorflow as tf

        del classes
        return {VALUE: tf.reshape(predicted, [-1])}

    def answer(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """``outputs`` float32 [batch], as TF Serving's Regress wants."""
        import tensorflow as tf

        del classes
        return {"outputs": tf.reshape(predicted, [-1])}

    def check_classes(self, classes: Sequence[str]) -> None:
        """See `Task.check_classes`."""
        if classes:
            raise ConfigError(f"regression has no classes; got {', '.join(classes)}")
