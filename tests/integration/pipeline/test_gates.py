"""Thresholds become TFMA's: the right bound, the right sign, the right slice."""

from __future__ import annotations

import pytest

from configs.errors import ConfigError
from configs.schema import Metrics, Slices, UseCaseConfig
from pipeline.tasks.base import load_task

FULL = UseCaseConfig(
    thresholds=Metrics(auc=0.85, loss=0.6), change=Metrics(auc=0.01, loss=0.02), slices=Slices(thresholds=Metrics(auc=0.75, loss=0.9))
)


def metrics_of(use_case, config):
    """Metric name to its configuration."""
    import json

    from pipeline.gates import eval_config

    (spec,) = eval_config(use_case, config).metrics_specs
    return {json.loads(metric.config or "{}").get("name", metric.class_name): metric for metric in spec.metrics}


def thresholds_of(metric):
    """Slice columns, as a tuple, to the threshold."""
    return {tuple(spec.feature_keys): each.threshold for each in metric.per_slice_thresholds for spec in each.slicing_specs}


def test_every_metric_of_the_task_is_measured(use_case):
    metrics = metrics_of(use_case, FULL)
    assert set(metrics) == {*load_task(use_case.task).measures, "ExampleCount"}


def test_absolute_limits_hold_for_all_rows_together_and_not_for_slices(use_case):
    metrics = metrics_of(use_case, UseCaseConfig(thresholds=Metrics(auc=0.85)))
    assert set(thresholds_of(metrics["auc"])) == {()}
    assert thresholds_of(metrics["auc"])[()].value_threshold.lower_bound.value == 0.85
    # TFMA would hold a plain threshold against every slice.
    assert not any(metric.HasField("threshold") for metric in metrics.values())


def test_a_bound_is_on_the_side_where_a_metric_is_worse(use_case):
    metrics = metrics_of(use_case, FULL)
    auc, loss = thresholds_of(metrics["auc"])[()].value_threshold, thresholds_of(metrics["loss"])[()].value_threshold
    assert (auc.HasField("lower_bound"), auc.HasField("upper_bound")) == (True, False)
    assert (loss.HasField("lower_bound"), loss.HasField("upper_bound")) == (False, True)
    assert loss.upper_bound.value == 0.6


def test_a_change_allows_a_little_to_the_worse(use_case):
    import tensorflow_model_analysis as tfma

    metrics = metrics_of(use_case, FULL)
    auc, loss = (thresholds_of(metrics[name])[()].change_threshold for name in ("auc", "loss"))
    assert (auc.absolute.value, auc.direction) == (-0.01, tfma.MetricDirection.HIGHER_IS_BETTER)
    assert (loss.absolute.value, loss.direction) == (0.02, tfma.MetricDirection.LOWER_IS_BETTER)


def test_slices_have_limits_of_their_own(use_case):
    metrics = metrics_of(use_case, FULL)
    for keys in use_case.slices:
        limit = thresholds_of(metrics["auc"])[keys]
        assert limit.value_threshold.lower_bound.value == 0.75
        assert not limit.HasField("change_threshold")
        assert thresholds_of(metrics["loss"])[keys].value_threshold.upper_bound.value == 0.9


def test_a_metric_without_a_limit_is_measured_and_refuses_nothing(use_case):
    metrics = metrics_of(use_case, FULL)
    assert thresholds_of(metrics["recall"]) == {}
    assert thresholds_of(metrics["ExampleCount"]) == {}


def test_all_rows_and_each_slice_are_evaluated(use_case):
    from pipeline.gates import eval_config

    keys = [tuple(spec.feature_keys) for spec in eval_config(use_case, FULL).slicing_specs]
    assert keys == [(), *use_case.slices]


def test_every_metric_has_a_class(use_case):
    import tensorflow as tf
    import tensorflow_model_analysis as tfma

    for metric in metrics_of(use_case, FULL).values():
        # Where TFMA has none of its own it takes Keras'.
        assert hasattr(tfma.metrics, metric.class_name) or hasattr(tf.keras.metrics, metric.class_name), metric.class_name


def test_a_gate_without_a_limit_is_not_built(use_case):
    from pipeline.gates import eval_config

    with pytest.raises(ConfigError, match="at least one is needed"):
        eval_config(use_case, UseCaseConfig(thresholds=Metrics()))
