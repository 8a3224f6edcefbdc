"""From raw chopsticks columns to model features, with TensorFlow Transform: the same graph trains and serves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.use_cases.chopsticks.features import (
    CHOPSTICK_LENGTH,
    CLASSES,
    INDIVIDUAL,
    INDIVIDUALS,
    LABEL,
    LENGTH,
    LONGEST,
    RAW_LABEL,
    SHORTEST,
)


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """TFT's entry point.

    Args:
        inputs: each raw column as a sparse tensor [batch, 0..1]; a missing value has no entry.

    Returns:
        ``length`` float32 [batch, 2], z-score and its square; ``individual`` int64 [batch], the place in the vocabulary, which is
        beyond it for who was never seen or is not told; the label int64 [batch], the tercile of the training rows' efficiency.
    """
    terciles = tft.bucketize(_dense(inputs[RAW_LABEL], 0.0), num_buckets=CLASSES, epsilon=0.001)
    return {LENGTH: _length(inputs[CHOPSTICK_LENGTH]), INDIVIDUAL: _individual(inputs[INDIVIDUAL]), LABEL: terciles}


def _length(column: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] of millimetres as [batch, 2]; a missing length is the mean, with the mean of the squares."""
    values = tf.clip_by_value(column.values, SHORTEST, LONGEST)
    scaled = tft.scale_to_z_score(tf.SparseTensor(column.indices, values, [column.dense_shape[0], 1]))
    return tf.stack([_dense(scaled, 0.0), _dense(tf.SparseTensor(scaled.indices, scaled.values**2, scaled.dense_shape), 1.0)], axis=1)


def _individual(column: Any) -> tf.Tensor:
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    places = tft.compute_and_apply_vocabulary(shaped, top_k=INDIVIDUALS, num_oov_buckets=1, vocab_filename=INDIVIDUAL)
    # Fewer people than the vocabulary may hold: whoever was never seen then has a place that no training row uses, all the same.
    return tf.clip_by_value(_dense(places, INDIVIDUALS), 0, INDIVIDUALS)


def _dense(column: Any, default: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] as a dense one [batch], with a default where there is no value."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, tf.cast(default, shaped.dtype)), axis=1)
