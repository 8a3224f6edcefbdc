"""Yes or no: the model gives the probability of the second of two classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from configs.errors import ConfigError
from pipeline.tasks.base import LABEL, Measure, Task

PROBABILITY = "probability"


class Binary(Task):
    """The model's output is [batch, 1], the probability of the positive class."""

    measures: ClassVar[Mapping[str, Measure]] = {
        "auc": Measure("AUC", "higher"),
        "accuracy": Measure("BinaryAccuracy", "higher"),
        "precision": Measure("Precision", "higher"),
        "recall": Measure("Recall", "higher"),
        "loss": Measure("BinaryCrossentropy", "lower"),
    }
    prediction = PROBABILITY
    signature = "classify"
    method = "tensorflow/serving/classify"

    def outputs(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """``probability`` of the positive class, float32 [batch], and the ``label`` it means, string [batch]."""
        import tensorflow as tf

        positive = tf.reshape(predicted, [-1])
        return {PROBABILITY: positive, LABEL: tf.gather(tf.constant(list(classes)), tf.cast(positive >= 0.5, tf.int32))}

    def answer(self, predicted: Any, classes: Sequence[str]) -> dict[str, Any]:
        """Both classes with their probabilities, in the order of ``classes``."""
        import tensorflow as tf

        positive = tf.reshape(predicted, [-1])
        names = tf.tile(tf.constant(list(classes))[tf.newaxis, :], [tf.shape(positive)[0], 1])
        return {"classes": names, "scores": tf.stack([1.0 - positive, positive], axis=1)}

    def check_classes(self, classes: Sequence[str]) -> None:
        """See `Task.check_classes`."""
        super().check_classes(classes)
        if len(classes) != 2:
            raise ConfigError(f"binary_classification has two classes, (negative, positive); got {len(classes)}")
