"""From raw taxi columns to model features, with TensorFlow Transform: the same graph trains and serves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.use_cases.taxi.features import AMOUNTS, AREAS, BIG_TIP_SHARE, CALENDAR, LABEL, NUMERIC, PLACES, RAW_LABEL, WORDS


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """TFT's entry point.

    Args:
        inputs: each raw column as a sparse tensor [batch, 0..1]; a missing value has no entry.

    Returns:
        ``numeric`` float32 [batch, 7]; one int64 [batch] for each categorical column; the label float32 [batch].
    """
    numbers = [_scaled(inputs[name], logarithm=name in AMOUNTS) for name in (*AMOUNTS, *PLACES)]
    outputs = {NUMERIC: tf.stack(numbers, axis=1)}
    for name, depth in {**CALENDAR, **AREAS}.items():
        outputs[name] = tf.clip_by_value(_dense(inputs[name], 0), 0, depth - 1)
    for name, size in WORDS.items():
        outputs[name] = tft.compute_and_apply_vocabulary(_dense(inputs[name], ""), top_k=size, num_oov_buckets=1, vocab_filename=name)
        # A small data set may hold fewer words than the vocabulary's size: what was never seen goes to the last bucket all the same.
        outputs[name] = tf.clip_by_value(outputs[name], 0, size)
    fare, tips = _dense(inputs["fare"], 0.0), _dense(inputs[RAW_LABEL], 0.0)
    outputs[LABEL] = tf.cast(tips > fare * BIG_TIP_SHARE, tf.float32)
    return outputs


def _scaled(column: Any, *, logarithm: bool) -> tf.Tensor:
    """A sparse column [batch, 0..1] as z-scores [batch] of its values or their logarithms; a missing value is 0, the mean."""
    values = tf.math.log1p(tf.maximum(column.values, 0.0)) if logarithm else column.values
    scaled = tft.scale_to_z_score(tf.SparseTensor(column.indices, values, [column.dense_shape[0], 1]))
    return tf.squeeze(tf.sparse.to_dense(scaled, 0.0), axis=1)


def _dense(column: Any, default: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] as a dense one [batch], with a default where there is no value."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, default), axis=1)
