"""What ``sluiceway schedule`` makes of its options, and how it shows a schedule."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.schedule.base import Place, Schedule, Status


def place_of(environment: str, overrides: Sequence[str], use_case: str | None = None) -> Place:
    """The environment a command names, with its overrides; held against the use case where there is one."""
    from configs.load import load_settings, names
    from pipeline.schedule.base import Place

    settings = load_settings(use_case or names("use_cases")[0], environment, overrides)
    return Place(environment, settings.environment)


def wanted_schedule(
    use_case: str,
    place: Place,
    overrides: Sequence[str],
    *,
    cron: str,
    timezone: str | None,
    trigger: Any,
    poll: int,
    jitter: int | None,
    stop_after: int | None,
    name: str | None,
) -> Schedule:
    """The schedule that the options ask for; the environment says what they leave open.

    Raises:
        UsageError: the name, the cron expression or the time zone is none.
    """
    from pipeline.schedule.base import Schedule, checked_name, default_name
    from pipeline.schedule.cron import check_cron, time_zone

    defaults = place.config.schedule
    check_cron(cron)
    time_zone(timezone or defaults.timezone)
    return Schedule(
        name=checked_name(name or default_name(use_case)),
        use_case=use_case,
        cron=" ".join(cron.split()),
        environment=place.environment,
        timezone=timezone or defaults.timezone,
        trigger=trigger,
        overrides=tuple(overrides),
        jitter_seconds=defaults.jitter_seconds if jitter is None else jitter,
        stop_after_failures=stop_after or defaults.stop_after_failures,
        poll_minutes=poll,
    )


def what_follows(kind: str, place: Place, overrides: Sequence[str], name: str) -> str:
    """The command that comes after ``set``."""
    from msgspec.structs import fields

    from configs.environment import EnvironmentConfig

    where = {field.name for field in fields(EnvironmentConfig)}
    given = [part for text in overrides if text.partition("=")[0].split(".")[0] in where for part in ("--set", text)]
    options = shlex.join(["--env", place.environment, *given])
    if kind != "local":
        return f"sluiceway schedule list --on {kind} {options}"
    from pipeline.schedule.book import local_book

    if local_book(place.config).is_held():
        return f"sluiceway schedule list {options}   (`sluiceway schedule start` runs here and takes it up within seconds)"
    return f"sluiceway schedule start {options}   (runs the schedules of this machine; {name} waits until it does)"


def rhythm(schedule: Schedule) -> str:
    """When it comes round, in words."""
    what = {
        "time": "runs at",
        "data": "looks for new data at",
        "both": f"looks for new data every {schedule.poll_minutes} minutes and runs at",
    }[schedule.trigger]
    return f"{what} '{schedule.cron}' ({schedule.timezone})"


def local_time(moment: datetime, schedule: Schedule) -> str:
    """A moment as the schedule's own zone shows it."""
    from configs.errors import UsageError
    from pipeline.schedule.cron import time_zone

    try:
        return moment.astimezone(time_zone(schedule.timezone)).isoformat(sep=" ", timespec="seconds")
    except UsageError:
        return moment.isoformat(sep=" ", timespec="seconds")


def as_document(status: Status) -> dict[str, Any]:
    """Plain values; the keys are a public contract."""
    times = {key: moment.isoformat() if (moment := getattr(status, key)) else None for key in ("next_run", "last_run")}
    rest = {"paused": status.paused, "reason": status.reason, "last": status.last, "failures": status.failures, "details": status.details}
    return {**asdict(status.schedule), **rest, **times}


def show(status: Status) -> None:
    """A few lines for one schedule."""
    schedule = status.schedule
    state = click.style("paused", fg="yellow", bold=True) if status.paused else click.style("active", fg="green")
    click.echo(f"{schedule.name:<20} {state}  {schedule.use_case} {rhythm(schedule)}")
    if status.paused and status.reason:
        click.echo(f"  why   {status.reason}")
    if status.next_run and not status.paused:
        click.echo(f"  next  {local_time(status.next_run, schedule)}")
    if status.last:
        at = local_time(status.last_run, schedule) + "  " if status.last_run else ""
        count = f"   ({status.failures} failed in a row)" if status.failures else ""
        click.echo(f"  last  {at}{status.last}{count}")
    for key, text in status.details.items():
        click.echo(f"  {key}: {text}")
