"""When a schedule comes round, and whether a run is started then: pure decisions.

trigger   at a time of the cron expression     every `poll_minutes` in between
time      a run                                -
data      a look, and a run if there is news   -
both      a run                                a look, and a run if there is news

News is a fingerprint (data, configuration, code; what ``check --json`` prints) that differs from that of the schedule's last finished
run. A run that a gate refused is a finished one: the same data would be refused again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from pipeline.schedule.base import Schedule, Trigger
from pipeline.schedule.cron import times

Occasion = Literal["time", "look", "asked"]


@dataclass(frozen=True)
class Beat:
    """The next time something is to be done, and what."""

    at: datetime
    occasion: Occasion


def next_beat(schedule: Schedule, after: datetime, chance: float = 0.0) -> Beat:
    """What comes next after a moment; all that was missed before it is not made up for.

    Args:
        chance: from 0 to 1, how much of the jitter is used. Never so much that a time would come after half the way to the following one.
    """
    due, following = islice(times(schedule.cron, schedule.timezone, after), 2)
    poll = after + timedelta(minutes=schedule.poll_minutes)
    if schedule.trigger == "both" and poll < due:
        return Beat(poll, "look")
    late = min(timedelta(seconds=schedule.jitter_seconds), (following - due) / 2) * chance
    return Beat(due + timedelta(seconds=int(late.total_seconds())), "look" if schedule.trigger == "data" else "time")


def looks_first(trigger: Trigger) -> bool:
    """Whether the fingerprint is asked for before a run; with trigger ``time`` nobody needs it."""
    return trigger != "time"


def starts_run(trigger: Trigger, occasion: Occasion, seen: str, known: str | None) -> bool:
    """Whether a run follows a look.

    Args:
        seen: the fingerprint of what is there now.
        known: that of the last finished run; None where there was none.
    """
    return trigger == "time" or occasion != "look" or seen != known
