"""Thresholds of a use case to TFMA's EvalConfig: the metric gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from configs.errors import ConfigError
from configs.schema import UseCaseConfig
from pipeline.training.names import PREDICTION_OUTPUT, SERVING_DEFAULT, TRANSFORM
from pipeline.use_cases.base import UseCase

# TFMA's metric class and the direction that is better.
METRICS = {
    "auc": ("AUC", "higher"),
    "accuracy": ("BinaryAccuracy", "higher"),
    "precision": ("Precision", "higher"),
    "recall": ("Recall", "higher"),
    "loss": ("BinaryCrossentropy", "lower"),
    "mae": ("MeanAbsoluteError", "lower"),
    "rmse": ("RootMeanSquaredError", "lower"),
}
_DIRECTIONS = {"higher": tfma.MetricDirection.HIGHER_IS_BETTER, "lower": tfma.MetricDirection.LOWER_IS_BETTER}
# What a task reports even where no limit is set.
REPORTED = {"binary_classification": ("auc", "accuracy", "precision", "recall", "loss")}


def eval_config(use_case: UseCase, config: UseCaseConfig) -> tfma.EvalConfig:
    """The evaluation of a use case.

    Raises:
        ConfigError: there is no absolute threshold (a gate without one accepts everything), or a metric does not fit the task.
    """
    absolute, change, per_slice = config.thresholds.given(), config.change.given(), config.slices.thresholds.given()
    reported = REPORTED[use_case.task]
    for section, given in (("thresholds", absolute), ("change", change), ("slices.thresholds", per_slice)):
        for name in given:
            if name not in reported:
                raise ConfigError(f"{section}.{name}: not a metric of {use_case.task}; allowed: {', '.join(reported)}")
    if not absolute:
        raise ConfigError(f"thresholds: at least one is needed, or every model would be accepted; allowed: {', '.join(reported)}")
    slicing = [tfma.SlicingSpec(feature_keys=list(keys)) for keys in use_case.slices]
    metrics = [_metric(name, absolute.get(name), change.get(name), per_slice.get(name), slicing) for name in reported]
    metrics.append(tfma.MetricConfig(class_name="ExampleCount"))
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name=SERVING_DEFAULT,
                label_key=use_case.label,
                prediction_key=PREDICTION_OUTPUT[use_case.task],
                preprocessing_function_names=[TRANSFORM],
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), *slicing],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )


def _metric(name: str, absolute: float | None, change: float | None, per_slice: float | None, slicing: Sequence[Any]) -> tfma.MetricConfig:
    class_name, better = METRICS[name]
    config = tfma.MetricConfig(class_name=class_name, config=f'{{"name": "{name}"}}')
    # TFMA holds a metric's plain `threshold` against every slice; limits for all rows together must name that slice.
    overall = tfma.MetricThreshold()
    if absolute is not None:
        overall.value_threshold.CopyFrom(_bound(absolute, better))
    if change is not None:
        overall.change_threshold.absolute.value = -change if better == "higher" else change
        overall.change_threshold.direction = _DIRECTIONS[better]
    if absolute is not None or change is not None:
        config.per_slice_thresholds.append(tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=overall))
    if per_slice is not None and slicing:
        limit = tfma.MetricThreshold(value_threshold=_bound(per_slice, better))
        config.per_slice_thresholds.append(tfma.PerSliceMetricThreshold(slicing_specs=list(slicing), threshold=limit))
    return config


def _bound(value: float, better: str) -> tfma.GenericValueThreshold:
    limit = wrappers_pb2.DoubleValue(value=value)
    return tfma.GenericValueThreshold(lower_bound=limit) if better == "higher" else tfma.GenericValueThreshold(upper_bound=limit)
