"""One of several classes: the model gives a probability for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from configs.errors import ConfigError
from pipeline.tasks.base import LABEL, Measure, Task

PROBABILITIES = "probabilities"
PROBABILITY = "probability"
# As many classes as TF Serving's own examples answer with.
MOST_CLASSES = 10


class Classification(Task):
    """The model's output is [batch, classes], probabilities in the order of the use case's classes; the label is a class's number."""

    measures: ClassVar[Mapping[str, Measure]] = {
        "accuracy": Measure("SparseCategoricalAccuracy", "higher"),
        "loss": Measure("SparseCategoricalCrossentropy", "lower"),
    }
    prediction = PROBABILITIES
    signature = "classify"
    method = "tensorflow/serving/classify"

    def outputs(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """``probabilities`` float32 [batch, classes], the likeliest class as ``label``, string [batch], and its ``probability`` [batch]."""
        import tensorflow as tf

        best = tf.argmax(predicted, axis=1)
        return {PROBABILITIES: predicted, LABEL: tf.gather(tf.constant(list(classes)), best), PROBABILITY: tf.reduce_max(predicted, axis=1)}

    def answer(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """The likeliest classes, at most ten, with their probabilities, the likeliest first."""
        import tensorflow as tf

        scores, places = tf.math.top_k(predicted, k=min(len(classes), MOST_CLASSES))
        return {"classes": tf.gather(tf.constant(list(classes)), places), "scores": scores}

    def check_classes(self, classes: Sequence[str]) -> None:
        """See `Task.check_classes`."""
        super().check_classes(classes)
        if len(classes) < 2:
            raise ConfigError(f"classification has two classes or more; got {len(classes)}")
