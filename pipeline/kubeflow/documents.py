"""The part of KFP's documents that we read, typed. Fields that are not named here are passed over."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from msgspec import Struct, field

_NEVER = datetime(1971, 1, 1, tzinfo=timezone.utc)


class Problem(Struct, frozen=True, kw_only=True):
    """Why something failed."""

    code: int = 0
    message: str = ""


class Child(Struct, frozen=True, kw_only=True):
    """A task below a task; one of the two is given."""

    task_id: str = ""
    pod_name: str = ""


class Task(Struct, frozen=True, kw_only=True):
    """One node of the engine's graph: a step, its driver, its executor, or a group of steps."""

    task_id: str = ""
    display_name: str = ""
    pod_name: str = ""
    state: str = "RUNTIME_STATE_UNSPECIFIED"
    create_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    error: Problem | None = None
    child_tasks: list[Child] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it is not known. KFP writes the beginning of time for 'not yet'."""
        begun = self.start_time or self.create_time
        if begun is None or self.end_time is None or min(begun, self.end_time) < _NEVER:
            return 0.0
        return max(0.0, (self.end_time - begun).total_seconds())


class RunDetails(Struct, frozen=True, kw_only=True):
    """The tasks of a run."""

    task_details: list[Task] = field(default_factory=list)


class Reference(Struct, frozen=True, kw_only=True):
    """A version of a pipeline."""

    pipeline_id: str = ""
    pipeline_version_id: str = ""


class RuntimeConfig(Struct, frozen=True, kw_only=True):
    """What a run was given."""

    parameters: dict[str, Any] = field(default_factory=dict)


class Run(Struct, frozen=True, kw_only=True):
    """A run of a pipeline."""

    run_id: str
    display_name: str = ""
    experiment_id: str = ""
    state: str = "RUNTIME_STATE_UNSPECIFIED"
    created_at: datetime | None = None
    finished_at: datetime | None = None
    error: Problem | None = None
    recurring_run_id: str = ""
    run_details: RunDetails = field(default_factory=RunDetails)


class CronSchedule(Struct, frozen=True, kw_only=True):
    """When; six fields, seconds first."""

    cron: str = ""


class RunTrigger(Struct, frozen=True, kw_only=True):
    """What starts the runs of a recurring run."""

    cron_schedule: CronSchedule = field(default_factory=CronSchedule)


class RecurringRun(Struct, frozen=True, kw_only=True):
    """A schedule as KFP keeps it. It cannot be edited there: only made, enabled, disabled and deleted."""

    recurring_run_id: str
    display_name: str = ""
    description: str = ""
    experiment_id: str = ""
    status: str = ""
    mode: str = ""
    created_at: datetime | None = None
    trigger: RunTrigger = field(default_factory=RunTrigger)
    pipeline_version_reference: Reference = field(default_factory=Reference)
    runtime_config: RuntimeConfig = field(default_factory=RuntimeConfig)
    service_account: str = ""

    @property
    def enabled(self) -> bool:
        """Whether it starts runs."""
        return (self.status or f"{self.mode}D") == "ENABLED"
