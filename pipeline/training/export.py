"""The exported model: one graph that transforms and predicts, behind four signatures and those that a use case adds.

serving_default     serialized tf.Examples [batch]          -> named outputs
predict             one tensor [batch] for each raw column  -> the same outputs
classify, regress   serialized tf.Examples [batch]          -> what TF Serving's Classify or Regress wants; which of the two, the task says
transform_features  serialized tf.Examples [batch]          -> what the model sees; the evaluator's label comes from here
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import saved_model_pb2

from pipeline.tasks.base import Task, load_task
from pipeline.training.inputs import serving_spec
from pipeline.training.names import EXAMPLES_INPUT, PREDICT, SERVING_DEFAULT, TRANSFORM
from pipeline.use_cases.base import UseCase
from serving.rows import MISSING_INT


@dataclass(frozen=True)
class Signature:
    """A signature that a use case adds: a function of named tensors, what they are, and one request to keep with the model."""

    function: Callable[..., Mapping[str, Any]]
    inputs: Mapping[str, tf.TensorSpec]
    golden: Mapping[str, Any]


class ServedModel(tf.Module):  # type: ignore[misc] # tensorflow has no types
    """Weights and transform graph as one trackable object, so that variables, tables and assets are saved with it.

    The Keras model itself is not tracked. TensorFlow saves a tracked Keras 3 variable as a copy beside the one that the graph
    reads: TensorFlow 2's own loader mends that, TF Serving's restores only the copy, and every request fails.
    """

    def __init__(self, model: keras.Model, transform: tft.TFTransformOutput, use_case: UseCase) -> None:
        super().__init__()
        self.weights = [variable.value for variable in model.variables]
        # What a layer stands on besides Keras' own variables, such as a loaded SavedModel with tables and files.
        self.resources = [layer.saved_resource for layer in model.layers if hasattr(layer, "saved_resource")]
        # A partial is not trackable: see above.
        self._predict = functools.partial(model, training=False)
        self.transform_layer = transform.transform_features_layer()
        self._use_case = use_case
        self._task = load_task(use_case.task)
        self._spec = serving_spec(transform, use_case.raw_label)
        self._full_spec = transform.raw_feature_spec()

    def signatures(self) -> dict[str, Any]:
        """The concrete functions by signature name."""
        examples = tf.TensorSpec([None], tf.string, name="examples")
        inputs = tf.TensorSpec([None], tf.string, name=EXAMPLES_INPUT)
        columns = {name: tf.TensorSpec([None], feature.dtype, name=name) for name, feature in sorted(self._spec.items())}
        # Without AutoGraph: no Python control flow here depends on a tensor, and rewriting Keras' source takes seconds.
        function = functools.partial(tf.function, autograph=False)
        return {
            SERVING_DEFAULT: function(self._from_examples).get_concrete_function(examples),
            PREDICT: function(self._from_columns).get_concrete_function(**columns),
            self._task.signature: function(self._answer).get_concrete_function(inputs),
            TRANSFORM: function(self._transform).get_concrete_function(examples),
            **{name: function(added.function).get_concrete_function(**added.inputs) for name, added in self.added().items()},
        }

    @property
    def task(self) -> Task:
        """What kind of answer it gives."""
        return self._task

    def added(self) -> dict[str, Signature]:
        """What the use case adds to the usual signatures, by name."""
        name = self._use_case.signatures_name
        found: dict[str, Signature] = self._use_case.load(name)(self) if name else {}
        return found

    def outputs_of(self, transformed: Mapping[str, Any]) -> dict[str, Any]:
        """The named outputs for transformed features, for signatures that a use case adds."""
        return self._task.outputs(self._predict(dict(transformed)), self._use_case.classes)

    def _from_examples(self, examples: Any) -> dict[str, Any]:
        return self._outputs(tf.io.parse_example(examples, self._spec))

    def _from_columns(self, **columns: Any) -> dict[str, Any]:
        return self._outputs({name: _without_missing(column) for name, column in columns.items()})

    def _answer(self, inputs: Any) -> dict[str, Any]:
        return self._task.answer(self._predicted(tf.io.parse_example(inputs, self._spec)), self._use_case.classes)

    def _transform(self, examples: Any) -> dict[str, Any]:
        return dict(self.transform_layer(tf.io.parse_example(examples, self._full_spec)))

    def _predicted(self, raw: Mapping[str, Any]) -> Any:
        return self._predict(self.transform_layer(dict(raw)))

    def _outputs(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return self._task.outputs(self._predicted(raw), self._use_case.classes)


def save(served: ServedModel, directory: str) -> Mapping[str, Callable[..., Any]]:
    """Write the SavedModel; gives the concrete functions that were saved, by signature name."""
    signatures = served.signatures()
    tf.saved_model.save(served, directory, signatures=signatures)
    _name_method(Path(directory), served.task)
    return signatures


def _name_method(directory: Path, task: Task) -> None:
    """Give ``classify`` or ``regress`` TF Serving's method name; TensorFlow 2 writes ``predict``, which MultiInference refuses."""
    path = directory / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        if task.signature in graph.signature_def:
            graph.signature_def[task.signature].method_name = task.method
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
