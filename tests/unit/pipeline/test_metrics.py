"""Thresholds must fit the task, and there must be one."""

from __future__ import annotations

import pytest
from msgspec.structs import fields

from configs.errors import ConfigError
from configs.schema import Metrics, Slices, UseCaseConfig
from pipeline.metrics import BETTER, REPORTED, check_thresholds

TASK = "binary_classification"
GOOD = Metrics(auc=0.8)


@pytest.mark.parametrize(
    "config",
    [
        UseCaseConfig(thresholds=GOOD),
        UseCaseConfig(thresholds=Metrics(loss=0.5)),
        UseCaseConfig(thresholds=GOOD, change=Metrics(precision=0.1), slices=Slices(thresholds=Metrics(recall=0.2))),
    ],
)
def test_thresholds_that_fit_pass(config):
    check_thresholds(TASK, config)


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (UseCaseConfig(thresholds=Metrics(rmse=1.0)), "thresholds.rmse: not a metric of binary_classification; allowed: auc, "),
        (UseCaseConfig(thresholds=GOOD, change=Metrics(mae=1.0)), "change.mae: not a metric of binary_classification; allowed: auc, "),
        (
            UseCaseConfig(thresholds=GOOD, slices=Slices(thresholds=Metrics(rmse=1.0))),
            "slices.thresholds.rmse: not a metric of binary_classification; allowed: auc, ",
        ),
        (UseCaseConfig(thresholds=Metrics()), "thresholds: at least one is needed, or every model would be accepted; allowed: auc, "),
        (UseCaseConfig(thresholds=Metrics(), change=GOOD), "thresholds: at least one is needed"),
    ],
)
def test_thresholds_that_do_not_are_one_line(config, line):
    with pytest.raises(ConfigError) as caught:
        check_thresholds(TASK, config)
    assert str(caught.value).startswith(line)


def test_every_metric_of_the_configuration_has_a_direction():
    assert set(BETTER) == {field.name for field in fields(Metrics)}
    assert set(BETTER.values()) == {"higher", "lower"}


def test_every_reported_metric_can_have_a_limit():
    for metrics in REPORTED.values():
        assert set(metrics) <= set(BETTER)
