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
        ``numeric`` float32 [batch, 11]; one int64 [batch] for each categorical column; the label float32 [batch].
    """
    amounts = [tft.scale_to_z_score(tf.math.log1p(tf.maximum(_dense(inputs[name], 0.0), 0.0))) for name in AMOUNTS]
    places = [_place(inputs[name]) for name in PLACES]
    outputs = {NUMERIC: tf.stack([*amounts, *[number for pair in places for number in pair]], axis=1)}
    for name, depth in {**CALENDAR, **AREAS}.items():
        outputs[name] = tf.clip_by_value(_dense(inputs[name], 0), 0, depth - 1)
    for name, size in WORDS.items():
        outputs[name] = tft.compute_and_apply_vocabulary(
            _dense(inputs[name], ""), top_k=size, num_oov_buckets=1, vocab_filename=name, reserved_tokens=None
        )
        # A small data set may hold fewer words than the vocabulary's size: what was never seen goes to the last bucket all the same.
        outputs[name] = tf.clip_by_value(outputs[name], 0, size)
    fare, tips = _dense(inputs["fare"], 0.0), _dense(inputs[RAW_LABEL], 0.0)
    outputs[LABEL] = tf.cast(tips > fare * BIG_TIP_SHARE, tf.float32)
    return outputs


def _place(column: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """A coordinate as (z-score of the value, or 0 when missing; 1 when missing, else 0)."""
    missing = tf.equal(_dense(column, 0.0), 0.0)
    scaled = tft.scale_to_z_score(tf.sparse.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1]))
    return tf.squeeze(tf.sparse.to_dense(scaled, 0.0), axis=1), tf.cast(missing, tf.float32)


def _dense(column: Any, default: Any) -> tf.Tensor:
    """A sparse column [batch, 0..1] as a dense one [batch], with a default where there is no value."""
    shaped = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.squeeze(tf.sparse.to_dense(shaped, default), axis=1)
