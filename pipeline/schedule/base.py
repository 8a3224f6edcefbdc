"""The contract of a scheduler: the same few verbs on this machine, on Kubernetes and on Kubeflow.

set -> active <--pause/resume--> paused            (delete ends either)
          |                         ^
          +--too many failures------+               with the reason
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Literal, Protocol

from configs.environment import EnvironmentConfig
from configs.errors import UsageError

Trigger = Literal["time", "data", "both"]
Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Schedule:
    """When a use case is run again.

    name:         unique where it is kept, a DNS label (`checked_name`); the use case's name unless several schedules run one.
    cron:         five fields, read in ``timezone`` (IANA name). With trigger ``data`` it says when to look for new data.
    trigger:      ``time`` runs each time; ``data`` and ``both`` as in ``triggers.py``.
    poll_minutes: with trigger ``both``, how often to look for new data between the times.
    overrides:    ``key=value`` texts, as ``run --set`` takes them.
    """

    name: str
    use_case: str
    cron: str
    environment: str = "local"
    timezone: str = "UTC"
    trigger: Trigger = "time"
    overrides: tuple[str, ...] = ()
    jitter_seconds: int = 60
    stop_after_failures: int = 3
    poll_minutes: int = 15


@dataclass(frozen=True)
class Place:
    """Where a scheduler works: an environment's name and its configuration, with the overrides of the command in it."""

    environment: str
    config: EnvironmentConfig


@dataclass(frozen=True)
class Status:
    """A schedule as it stands.

    reason:       why it is paused, or what is wrong with it where it is ``damaged``: then ``schedule`` holds its name and nothing else.
    next_is_look: at ``next_run`` it looks for new data; a run comes only of news.
    overdue:      ``next_run`` has passed and nothing was started.
    last:         what its newest run came to; ``log`` is where that run told more.
    """

    schedule: Schedule
    paused: bool = False
    reason: str = ""
    next_run: datetime | None = None
    last_run: datetime | None = None
    last: str = ""
    failures: int = 0
    details: dict[str, str] = field(default_factory=dict)
    damaged: bool = False
    next_is_look: bool = False
    overdue: bool = False
    log: str = ""


class Scheduler(Protocol):
    """Keeps schedules and runs them. Made with a `Place`; making one asks nobody anything.

    Every verb may be repeated; each raises UsageError for a name it does not know.
    """

    def set(self, schedule: Schedule) -> Change:
        """Make the schedule, or bring the one of that name to this, in place. Raises UsageError for a cron expression that is none."""

    def pause(self, name: str) -> None:
        """No runs until `resume`; a run under way goes on."""

    def resume(self, name: str) -> None:
        """Run again from now on; failures are forgotten."""

    def list(self) -> list[Status]:
        """All schedules, by name."""

    def run_now(self, name: str) -> str:
        """Start a run of it now, beside its times. Returns what to look at: a run's name or address."""

    def delete(self, name: str) -> None:
        """Forget the schedule; runs under way go on."""


# A CronJob's name is a DNS label, and the jobs made of it add eleven characters to it.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?")


def checked_name(text: str) -> str:
    """A name that every scheduler can keep: small letters, digits and hyphens, at most 52.

    Raises:
        UsageError: it is none.
    """
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"schedule name {text!r}: small letters, digits and hyphens, 52 at most, for example {default_name('taxi_fares')!r}"
        )
    return text


def default_name(use_case: str) -> str:
    """The schedule's name where none is given; a use case may be given by its folder."""
    return PurePath(use_case).name.lower().replace("_", "-")
