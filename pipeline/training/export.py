"""The exported model: one graph that transforms and predicts, behind four signatures.

serving_default     serialized tf.Examples [batch]          -> named outputs
predict             one tensor [batch] for each raw column  -> the same outputs
classify            serialized tf.Examples [batch]          -> classes and scores [batch, classes], as TF Serving's Classify wants
transform_features  serialized tf.Examples [batch]          -> what the model sees; the evaluator's label comes from here
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import saved_model_pb2

from pipeline.training.inputs import serving_spec
from pipeline.training.names import CLASSIFY, LABEL, PREDICT, PROBABILITY, SERVING_DEFAULT, TRANSFORM
from pipeline.use_cases.base import UseCase
from serving.rows import MISSING_INT


class ServedModel(tf.Module):  # type: ignore[misc] # tensorflow has no types
    """Weights and transform graph as one trackable object, so that variables, tables and assets are saved with it.

    The Keras model itself is not tracked. TensorFlow saves a tracked Keras 3 variable as a copy beside the one that the graph
    reads: TensorFlow 2's own loader mends that, TF Serving's restores only the copy, and every request fails.
    """

    def __init__(self, model: keras.Model, transform: tft.TFTransformOutput, use_case: UseCase) -> None:
        super().__init__()
        self.weights = [variable.value for variable in model.variables]
        # A partial is not trackable: see above.
        self._predict = functools.partial(model, training=False)
        self.transform_layer = transform.transform_features_layer()
        self._use_case = use_case
        self._classes = tf.constant(list(use_case.classes))
        self._spec = serving_spec(transform, use_case.raw_label)
        self._full_spec = transform.raw_feature_spec()

    def signatures(self) -> dict[str, Any]:
        """The concrete functions by signature name."""
        examples = tf.TensorSpec([None], tf.string, name="examples")
        inputs = tf.TensorSpec([None], tf.string, name="inputs")
        columns = {name: tf.TensorSpec([None], feature.dtype, name=name) for name, feature in sorted(self._spec.items())}
        # Without AutoGraph: no Python control flow here depends on a tensor, and rewriting Keras' source takes seconds.
        function = functools.partial(tf.function, autograph=False)
        return {
            SERVING_DEFAULT: function(self._from_examples).get_concrete_function(examples),
            PREDICT: function(self._from_columns).get_concrete_function(**columns),
            CLASSIFY: function(self._classify).get_concrete_function(inputs),
            TRANSFORM: function(self._transform).get_concrete_function(examples),
        }

    def _from_examples(self, examples: Any) -> dict[str, Any]:
        return self._outputs(tf.io.parse_example(examples, self._spec))

    def _from_columns(self, **columns: Any) -> dict[str, Any]:
        return self._outputs({name: _without_missing(column) for name, column in columns.items()})

    def _classify(self, inputs: Any) -> dict[str, Any]:
        positive = self._positive(tf.io.parse_example(inputs, self._spec))
        classes = tf.tile(self._classes[tf.newaxis, :], [tf.shape(positive)[0], 1])
        return {"classes": classes, "scores": tf.stack([1.0 - positive, positive], axis=1)}

    def _transform(self, examples: Any) -> dict[str, Any]:
        return dict(self.transform_layer(tf.io.parse_example(examples, self._full_spec)))

    def _positive(self, raw: Mapping[str, Any]) -> Any:
        return tf.reshape(self._predict(self.transform_layer(dict(raw))), [-1])

    def _outputs(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        positive = self._positive(raw)
        return {PROBABILITY: positive, LABEL: tf.gather(self._classes, tf.cast(positive >= 0.5, tf.int32))}


def save(served: ServedModel, directory: str) -> Mapping[str, Callable[..., Any]]:
    """Write the SavedModel; gives the concrete functions that were saved, by signature name."""
    signatures = served.signatures()
    tf.saved_model.save(served, directory, signatures=signatures)
    _name_methods(Path(directory))
    return signatures


def _name_methods(directory: Path) -> None:
    """Give ``classify`` TF Serving's method name; TensorFlow 2 writes ``predict`` everywhere, which MultiInference refuses."""
    path = directory / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        if CLASSIFY in graph.signature_def:
            graph.signature_def[CLASSIFY].method_name = tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _without_missing(column: Any) -> Any:
    """A dense column [batch] as a sparse one [batch, 0..1], without NaN, the empty text and -1."""
    if column.dtype.is_floating:
        present = tf.logical_not(tf.math.is_nan(column))
    elif column.dtype == tf.string:
        present = tf.not_equal(column, "")
    else:
        present = tf.not_equal(column, MISSING_INT)
    places = tf.where(present)
    indices = tf.concat([places, tf.zeros_like(places)], axis=1)
    return tf.SparseTensor(indices, tf.boolean_mask(column, present), [tf.size(column, out_type=tf.int64), 1])
