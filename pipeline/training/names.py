"""The names of signatures and outputs, where training, evaluation and golden requests meet. Imports no TensorFlow."""

from __future__ import annotations

SERVING_DEFAULT, PREDICT, CLASSIFY, TRANSFORM = "serving_default", "predict", "classify", "transform_features"
PROBABILITY, LABEL = "probability", "label"
# The output that the evaluator compares with the label, by task.
PREDICTION_OUTPUT = {"binary_classification": PROBABILITY}
