"""From an image file to a grey picture of one size, with TensorFlow Transform: the same graph trains and serves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from pipeline.training.images import decoded, packed
from pipeline.use_cases.digits.features import CLASSES, IMAGE, LABEL, PIXELS, RAW_LABEL, SHAPE


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """TFT's entry point.

    Args:
        inputs: ``image`` and ``label``, sparse [batch, 0..1].

    Returns:
        ``pixels`` int64 [batch, 98] (packed, `pipeline/training/images.py`); the label, a class's number, int64 [batch].
    """
    label = inputs[RAW_LABEL]
    words = tf.squeeze(tf.sparse.to_dense(tf.SparseTensor(label.indices, label.values, [label.dense_shape[0], 1]), ""), axis=1)
    return {
        PIXELS: packed(decoded(inputs[IMAGE], *SHAPE)),
        LABEL: tf.argmax(tf.equal(words[:, tf.newaxis], tf.constant(CLASSES)), axis=1),
    }
