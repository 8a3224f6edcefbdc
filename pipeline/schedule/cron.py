"""Cron expressions: what is one, and when it comes round, daylight saving included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from configs.errors import UsageError

# What Kubernetes and Kubeflow read the same way; cronsim alone would also take `L`, `#` and a field of seconds.
_PORTABLE = re.compile(r"\*|\d+|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_EXAMPLE = "five fields: minute hour day month weekday, for example '0 3 * * *'"


def time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"time zone {name!r}: there is none of that name; give one like Europe/Berlin, America/New_York or UTC") from error


def check_cron(text: str) -> None:
    """Hold an expression against what every scheduler here understands.

    Raises:
        UsageError: it is none, or never comes round.
    """
    fields = text.split()
    if len(fields) != 5:
        raise UsageError(f"cron {text[:40]!r}: {len(fields)} fields; expected {_EXAMPLE}, in quotes")
    for field in fields:
        for part in re.split(r"[,/-]", field):
            if not _PORTABLE.fullmatch(part):
                raise UsageError(f"cron {text!r}: {field!r} is not understood by every scheduler; expected {_EXAMPLE}")
    next(times(text, "UTC", datetime(2026, 1, 1, tzinfo=timezone.utc)))


def times(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The times of an expression after a moment, in UTC, without end.

    As Debian's cron does it: a time that the clocks jump over comes right after the jump, one that they show twice comes once; an
    expression with every hour in it follows the clock's hands instead.

    Raises:
        UsageError: it is no cron expression, or never comes round.
    """
    try:
        found = CronSim(cron, after.astimezone(time_zone(zone)))
    except CronSimError as error:
        raise UsageError(f"cron {cron!r}: {error}; expected {_EXAMPLE}") from error
    try:
        while True:
            # In UTC at once: two times of one zone are compared by what the clock shows, which is wrong on the day it is set back.
            yield next(found).astimezone(timezone.utc)
    except StopIteration as error:
        raise UsageError(f"cron {cron!r}: that day never comes") from error
