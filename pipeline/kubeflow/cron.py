"""A cron expression as Kubeflow Pipelines reads it: six fields with seconds first, in the cluster's own time zone.

The scheduled workflow controller parses with robfig/cron 1.2 and reads all expressions in one zone: UTC, or what its
CRON_SCHEDULE_TIMEZONE says. Five fields are accepted, too, and then mean something else: "0 3 * * *" is minute 3 of every hour. Sunday
is 0 and never 7. So every field is written out as the plain numbers it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import product

from cronsim import CronSim

from configs.errors import UsageError
from pipeline.schedule.cron import check_cron, time_zone

_DAY = 24 * 60
_WATCHED = timedelta(days=2 * 366)


def kfp_cron(cron: str, zone: str, cluster_zone: str, now: datetime) -> str:
    """Six fields for an expression of five that is read in ``zone``, on a cluster that reads in ``cluster_zone``.

    Raises:
        UsageError: it is no expression, or has no equal there.
    """
    check_cron(cron)
    minute, hour, day, month, weekday = cron.split()
    if day != "*" and weekday != "*" and "*" in day[:1] + weekday[:1]:
        raise UsageError(f"cron {cron!r}: a day and a weekday, one of them with '*/', mean different things to different schedulers")
    parsed = CronSim(cron, now.astimezone(timezone.utc))
    days, months = _field(day, parsed.days), _field(month, parsed.months)
    minutes, hours, weekdays = set(parsed.minutes), set(parsed.hours), {each % 7 for each in parsed.weekdays if isinstance(each, int)}
    shift = _shift(zone, cluster_zone, now)
    if shift is None:
        raise _unequal(cron, zone, cluster_zone, "the clocks of the two are set differently in the course of a year")
    if shift == 0:
        return f"0 {_field(minute, minutes)} {_field(hour, hours)} {days} {months} {_field(weekday, weekdays)}"
    moved = [hours_ * 60 + minutes_ + shift for hours_, minutes_ in product(hours, minutes)]
    carried = {each // _DAY for each in moved}
    minutes, hours = {each % 60 for each in moved}, {each % _DAY // 60 for each in moved}
    if len(moved) != len(minutes) * len(hours):
        raise _unequal(cron, zone, cluster_zone, "its times are no regular ones there")
    if carried != {0} and (days != "*" or months != "*" or (weekday != "*" and len(carried) > 1)):
        raise _unequal(cron, zone, cluster_zone, "its days begin at another time there")
    if weekday != "*":
        weekdays = {(each + min(carried)) % 7 for each in weekdays}
    return f"0 {_field(minute, minutes)} {_field(hour, hours)} {days} {months} {_field(weekday, weekdays)}"


def _field(text: str, numbers: Iterable[int]) -> str:
    """Every value stays a star: it means more than its numbers where days and weekdays meet."""
    return "*" if text == "*" else ",".join(str(each) for each in sorted(numbers))


def _shift(zone: str, cluster_zone: str, now: datetime) -> int | None:
    """Minutes from the one zone's clock to the other's; None where they differ in the course of the year."""
    here, there = time_zone(zone), time_zone(cluster_zone)
    found, moment = set(), now.astimezone(timezone.utc)
    end = moment + _WATCHED
    while moment < end:
        found.add((moment.astimezone(there).utcoffset() or timedelta()) - (moment.astimezone(here).utcoffset() or timedelta()))
        moment += timedelta(days=1)
    return int(found.pop().total_seconds() // 60) if len(found) == 1 else None


def _unequal(cron: str, zone: str, cluster_zone: str, why: str) -> UsageError:
    return UsageError(
        f"cron {cron!r} in {zone} cannot be kept by Kubeflow, which reads it in {cluster_zone}: {why}; give times in {cluster_zone} "
        f"(--timezone {cluster_zone}), or set kubeflow.timezone to the CRON_SCHEDULE_TIMEZONE of its ml-pipeline-scheduledworkflow"
    )
