"""The names of signatures, where training, evaluation and golden requests meet. Imports no TensorFlow."""

from __future__ import annotations

SERVING_DEFAULT, PREDICT, TRANSFORM = "serving_default", "predict", "transform_features"
# What the signature of serialized examples that answers in TF Serving's own form calls its input.
EXAMPLES_INPUT = "inputs"
