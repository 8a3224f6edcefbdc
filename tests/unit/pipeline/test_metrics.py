"""Thresholds must fit the task, and there must be one."""

from __future__ import annotations

import pytest
from msgspec.structs import fields

from configs.errors import ConfigError
from configs.schema import Metrics, Slices, UseCaseConfig
from pipeline.metrics import check_thresholds
from pipeline.tasks import TASKS
from pipeline.tasks.base import load_task

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


def test_the_configuration_can_limit_what_tasks_are_measured_by_and_nothing_else():
    measured = {name for task in TASKS for name in load_task(task).measures}
    assert measured == {field.name for field in fields(Metrics)}
