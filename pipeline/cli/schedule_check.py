"""What a schedule's settings are held against before it is made, so that a mistake shows by day and not at its first run."""

from __future__ import annotations

from components.example_gen.reading import Reading
from configs.errors import UsageError
from configs.schema import Settings


def check_settings(settings: Settings, kind: str) -> str:
    """Hold the configuration against the use case, as ``sluiceway run`` will.

    Args:
        kind: the scheduler's name; what runs on a cluster has its data there.

    Returns:
        A remark on data that is not there yet, or nothing.

    Raises:
        UsageError: a run with these settings could only fail.
    """
    from pipeline.beam import check_beam
    from pipeline.data import use_case_reading
    from pipeline.kubeflow.sections import check_environment
    from pipeline.metrics import check_thresholds
    from pipeline.use_cases.base import get_use_case
    from serving.launchers import targets

    use_case = get_use_case(settings.reference)
    check_thresholds(use_case.task, settings.use_case)
    check_beam(settings.environment)
    targets(settings.environment)
    use_case.merged_hparams(settings.use_case.hparams)
    if kind == "kubernetes":
        check_environment(settings)
    reading = use_case_reading(use_case, settings)
    return _missing(settings.use_case.data.source, reading) if kind == "local" else ""


def _missing(source: str | None, reading: Reading) -> str:
    """Only whether something is there: a run, or a look, reads it. A bucket is not asked, and a use case brings data of its own."""
    from components.example_gen.source import find_data

    if not source:
        return ""
    try:
        find_data(source, reading)
    except UsageError as error:
        return f"{error}; a run fails until it is there"
    return ""
