"""Whether a configuration's thresholds fit the task of its use case. Imports no TensorFlow."""

from __future__ import annotations

from configs.errors import ConfigError
from configs.schema import UseCaseConfig
from pipeline.tasks.base import load_task


def check_thresholds(task: str, config: UseCaseConfig) -> None:
    """Hold thresholds against the task.

    Raises:
        ConfigError: there is no absolute threshold (such a gate accepts everything), or a metric does not fit the task.
    """
    measured = load_task(task).measures
    sections = {"thresholds": config.thresholds, "change": config.change, "slices.thresholds": config.slices.thresholds}
    for section, metrics in sections.items():
        for name in metrics.given():
            if name not in measured:
                raise ConfigError(f"{section}.{name}: not a metric of {task}; allowed: {', '.join(measured)}")
    if not config.thresholds.given():
        raise ConfigError(f"thresholds: at least one is needed, or every model would be accepted; allowed: {', '.join(measured)}")
