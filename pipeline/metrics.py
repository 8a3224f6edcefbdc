"""The metrics a task is judged by, and whether a configuration's thresholds fit it. Imports no TensorFlow."""

from __future__ import annotations

from configs.errors import ConfigError
from configs.schema import UseCaseConfig

# Which way a metric is better.
BETTER = {
    "auc": "higher",
    "accuracy": "higher",
    "precision": "higher",
    "recall": "higher",
    "loss": "lower",
    "mae": "lower",
    "rmse": "lower",
}
# What a task is measured by, also where no limit is set.
REPORTED = {"binary_classification": ("auc", "accuracy", "precision", "recall", "loss")}


def check_thresholds(task: str, config: UseCaseConfig) -> None:
    """Hold thresholds against the task.

    Raises:
        ConfigError: there is no absolute threshold (such a gate accepts everything), or a metric does not fit the task.
    """
    reported = REPORTED[task]
    sections = {"thresholds": config.thresholds, "change": config.change, "slices.thresholds": config.slices.thresholds}
    for section, metrics in sections.items():
        for name in metrics.given():
            if name not in reported:
                raise ConfigError(f"{section}.{name}: not a metric of {task}; allowed: {', '.join(reported)}")
    if not config.thresholds.given():
        raise ConfigError(f"thresholds: at least one is needed, or every model would be accepted; allowed: {', '.join(reported)}")
