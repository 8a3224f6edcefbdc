"""Thresholds of a use case to TFMA's EvalConfig: the metric gate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis.proto import config_pb2

from configs.schema import UseCaseConfig
from pipeline.metrics import check_thresholds
from pipeline.tasks.base import Measure, load_task
from pipeline.training.names import SERVING_DEFAULT, TRANSFORM
from pipeline.use_cases.base import UseCase

_DIRECTIONS = {"higher": tfma.MetricDirection.HIGHER_IS_BETTER, "lower": tfma.MetricDirection.LOWER_IS_BETTER}


def eval_config(use_case: UseCase, config: UseCaseConfig) -> tfma.EvalConfig:
    """The evaluation of a use case.

    Raises:
        ConfigError: there is no absolute threshold (a gate without one accepts everything), or a metric does not fit the task.
    """
    check_thresholds(use_case.task, config)
    absolute, change, per_slice = config.thresholds.given(), config.change.given(), config.slices.thresholds.given()
    slicing = [tfma.SlicingSpec(feature_keys=list(keys)) for keys in use_case.slices]
    task = load_task(use_case.task)
    metrics = [
        _metric(name, measure, absolute.get(name), change.get(name), per_slice.get(name), slicing)
        for name, measure in task.measures.items()
    ]
    metrics.append(tfma.MetricConfig(class_name="ExampleCount"))
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name=SERVING_DEFAULT,
                label_key=use_case.label,
                prediction_key=task.prediction,
                preprocessing_function_names=[TRANSFORM],
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), *slicing],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )


def _metric(
    name: str, measure: Measure, absolute: float | None, change: float | None, per_slice: float | None, slicing: Sequence[Any]
) -> tfma.MetricConfig:
    better = measure.better
    config = tfma.MetricConfig(class_name=measure.tfma_class, config=json.dumps({"name": name, **measure.settings}))
    # TFMA holds a metric's plain `threshold` against every slice; limits for all rows together must name that slice.
    overall = tfma.MetricThreshold()
    if absolute is not None:
        overall.value_threshold.CopyFrom(_bound(absolute, better))
    if change is not None:
        overall.change_threshold.absolute.value = -change if better == "higher" else change
        overall.change_threshold.direction = _DIRECTIONS[better]
    if absolute is not None or change is not None:
        config.per_slice_thresholds.append(config_pb2.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=overall))
    if per_slice is not None and slicing:
        limit = tfma.MetricThreshold(value_threshold=_bound(per_slice, better))
        config.per_slice_thresholds.append(config_pb2.PerSliceMetricThreshold(slicing_specs=list(slicing), threshold=limit))
    return config


def _bound(value: float, better: str) -> tfma.GenericValueThreshold:
    limit = wrappers_pb2.DoubleValue(value=value)
    return tfma.GenericValueThreshold(lower_bound=limit) if better == "higher" else tfma.GenericValueThreshold(upper_bound=limit)
