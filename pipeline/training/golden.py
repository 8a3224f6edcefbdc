"""Golden requests and warm-up records: what the trainer's own process answers, kept beside the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.tasks.base import Task
from pipeline.training.export import ServedModel
from pipeline.training.names import EXAMPLES_INPUT, PREDICT, SERVING_DEFAULT
from serving.golden import GOLDEN, GoldenRequest, dump
from serving.protocol import wire_pb2
from serving.protocol.signature import CLASSIFY_METHOD
from serving.protocol.tensors import to_proto
from serving.rows import MISSING_INT

Array = np.ndarray[Any, Any]
WARMUP = "assets.extra/tf_serving_warmup_requests"


def columns_of(rows: Sequence[Mapping[str, Any]], spec: Mapping[str, Any]) -> dict[str, Array]:
    """Raw rows as one array [rows] for each column, with a column's own sign for a missing value."""
    missing = {tf.string: b"", tf.int64: MISSING_INT, tf.float32: float("nan")}
    columns = {}
    for name, feature in spec.items():
        values = [missing[feature.dtype] if row.get(name) is None else row[name] for row in rows]
        values = [value.encode() if isinstance(value, str) else value for value in values]
        columns[name] = np.array(values, object if feature.dtype == tf.string else feature.dtype.as_numpy_dtype)
    return columns


def examples_of(rows: Sequence[Mapping[str, Any]], spec: Mapping[str, Any]) -> Array:
    """Raw rows as serialized tf.Examples [rows]; a missing value is a feature that is not there."""
    return np.array([_example(row, spec).SerializeToString(deterministic=True) for row in rows], object)


def write_extras(
    directory: Path,
    rows: Sequence[Mapping[str, Any]],
    spec: Mapping[str, Any],
    answers: Mapping[str, Callable[..., Any]],
    served: ServedModel,
) -> None:
    """Write golden requests and warm-up records below ``assets.extra``.

    Args:
        directory: the SavedModel.
        rows: the use case's golden rows.
        spec: the raw feature spec without the label.
        answers: the trainer's own functions by signature name.
        served: the model that they are of.
    """
    task = served.task
    examples = examples_of(rows, spec)
    requests = [
        (PREDICT, columns_of(rows, spec)),
        (SERVING_DEFAULT, {"examples": examples}),
        (task.signature, {EXAMPLES_INPUT: examples}),
        *[(name, dict(added.golden)) for name, added in served.added().items()],
    ]
    golden = []
    for signature, inputs in requests:
        outputs = answers[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        golden.append(GoldenRequest(signature, inputs, {name: value.numpy() for name, value in outputs.items()}))
    extra = directory / GOLDEN
    extra.parent.mkdir(parents=True, exist_ok=True)
    extra.write_text(json.dumps(dump(golden), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    with tf.io.TFRecordWriter(str(directory / WARMUP)) as writer:
        for request in golden:
            writer.write(_warmup_record(request, task))


def _warmup_record(request: GoldenRequest, task: Task) -> bytes:
    log = wire_pb2.PredictionLog()
    if request.signature == task.signature:
        asked = (log.classify_log if task.method == CLASSIFY_METHOD else log.regress_log).request
        asked.model_spec.signature_name = request.signature
        asked.input.example_list.examples.extend(request.inputs[EXAMPLES_INPUT].tolist())
    else:
        log.predict_log.request.model_spec.signature_name = request.signature
        for name, value in request.inputs.items():
            log.predict_log.request.inputs[name].CopyFrom(to_proto(value))
    serialized: bytes = log.SerializeToString(deterministic=True)
    return serialized


def _example(row: Mapping[str, Any], spec: Mapping[str, Any]) -> tf.train.Example:
    example = tf.train.Example()
    for name, feature in spec.items():
        value = row.get(name)
        if value is None:
            continue
        target = example.features.feature[name]
        if feature.dtype == tf.string:
            target.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
        elif feature.dtype.is_floating:
            target.float_list.value.append(value)
        else:
            target.int64_list.value.append(value)
    return example
