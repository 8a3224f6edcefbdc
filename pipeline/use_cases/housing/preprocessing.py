"""From raw housing columns to model features, with TensorFlow Transform: the same graph trains and serves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.use_cases.housing.features import FARTHEST, INPUTS, LABEL, NUMERIC, RAW_LABEL, SKEWED


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """TFT's entry point.

    Args:
        inputs: each raw column as a sparse tensor [batch, 0..1]; a missing value has no entry.

    Returns:
        ``numeric`` float32 [batch, 12], z-scores in the order of ``INPUTS``; the label float32 [batch] in 1000 dollars.
    """
    # Column by column: scaled all at once (elementwise), a batch in which one column is empty makes that column's mean NaN.
    numbers = tf.stack([_scaled(inputs[name], logarithm=name in SKEWED) for name in INPUTS], axis=1)
    return {NUMERIC: tf.clip_by_value(numbers, -FARTHEST, FARTHEST), LABEL: _dense(inputs[RAW_LABEL])}


def _scaled(column: Any, *, logarithm: bool) -> tf.Tensor:
    """A sparse column [batch, 0..1] as z-scores [batch] of its values or their logarithms; a missing value is 0, the mean."""
    values = tf.cast(column.values, tf.float32)
    if logarithm:
        values = tf.math.log1p(tf.maximum(values, 0.0))
    return _dense(tft.scale_to_z_score(tf.SparseTensor(column.indices, values, [column.dense_shape[0], 1])))


def _dense(column: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] as a dense one [batch], 0 where there is no value."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, 0.0), axis=1)
