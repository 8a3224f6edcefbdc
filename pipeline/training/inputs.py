"""Transformed examples as tf.data, and the raw columns a server gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def dataset(patterns: Sequence[str], transform: tft.TFTransformOutput, label: str, batch_size: int, *, shuffle: bool) -> tf.data.Dataset:
    """Batches of (features by name, label [batch, 1]) from gzipped TFRecords of transformed examples.

    Kept in memory after the first pass: a transformed row is small, and parsing it again each epoch costs more than training on it.
    """
    spec = transform.transformed_feature_spec()

    def parse(records: Any) -> tuple[dict[str, Any], Any]:
        features = tf.io.parse_example(records, spec)
        return features, tf.reshape(features.pop(label), [-1, 1])

    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    rows = records.batch(4096).map(parse, num_parallel_calls=tf.data.AUTOTUNE).cache()
    if not shuffle:
        return rows.unbatch().batch(batch_size).prefetch(tf.data.AUTOTUNE)
    return rows.unbatch().shuffle(65_536, seed=17).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def serving_spec(transform: tft.TFTransformOutput, raw_label: str) -> dict[str, Any]:
    """The raw feature spec without the label and what the schema keeps from servers: what a request may hold."""
    kept = {feature.name for feature in transform.raw_metadata.schema.feature if "SERVING" in feature.not_in_environment}
    return {name: feature for name, feature in transform.raw_feature_spec().items() if name not in {raw_label, *kept}}
