"""Cron expressions: what is one, and when it comes round, daylight saving included."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from configs.errors import UsageError

# What Kubernetes and Kubeflow read the same way; cronsim alone would also take `L`, `#` and a field of seconds.
_PORTABLE = re.compile(r"\*|\d+|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_FIELDS = "five fields: minute hour day month weekday, for example '0 3 * * *', in quotes"
_NEVER = "that date never comes; name a day that the month has"
_MONTH = 3


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
        raise UsageError(f"cron {text[:40]!r}: {len(fields)} field{'' if len(fields) == 1 else 's'}; expected {_FIELDS}")
    for field in fields:
        for part in re.split(r"[,/-]", field):
            if not _PORTABLE.fullmatch(part):
                raise UsageError(
                    f"cron {text!r}: {field!r} is not understood by every scheduler; use numbers, * , - / and names like mon or jan"
                )
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
        raise UsageError(f"cron {cron!r}: {_NEVER if _never_comes(cron) else error}") from error
    try:
        while True:
            # In UTC at once: two times of one zone are compared by what the clock shows, which is wrong on the day it is set back.
            yield next(found).astimezone(timezone.utc)
    except StopIteration as error:
        raise UsageError(f"cron {cron!r}: {_NEVER}") from error


def shown(moment: datetime, zone: str) -> str:
    """A moment as a schedule's own zone shows it; as it is, where there is no such zone."""
    with contextlib.suppress(UsageError):
        moment = moment.astimezone(time_zone(zone))
    return moment.isoformat(sep=" ", timespec="seconds")


def _never_comes(cron: str) -> bool:
    """Whether it is a day that only the named months do not have: cronsim calls that a bad day, as it does a 32nd."""
    fields = cron.split()
    try:
        CronSim(" ".join([*fields[:_MONTH], "*", *fields[_MONTH + 1 :]]), datetime(2026, 1, 1, tzinfo=timezone.utc))
        CronSim(" ".join(["*"] * _MONTH + fields[_MONTH:]), datetime(2026, 1, 1, tzinfo=timezone.utc))
    except CronSimError:
        return False
    return True
