"""What ``sluiceway schedule`` makes of its options, and how it shows a schedule."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.schedule.base import Place, Schedule, Status


def place_of(environment: str, overrides: Sequence[str], use_case: str | None = None) -> Place:
    """The environment a command names, with its overrides; held against the use case where there is one."""
    from configs.load import names

    return checked_place(environment, overrides, use_case or names("use_cases")[0])[0]


def checked_place(environment: str, overrides: Sequence[str], use_case: str, kind: str | None = None) -> tuple[Place, str]:
    """The environment a command names, and a remark on what a run there would lack yet.

    Args:
        kind: the scheduler that is to run the use case; the settings are held against what a run by it needs.
    """
    from configs.load import load_settings
    from pipeline.cli.schedule_check import check_settings
    from pipeline.schedule.base import Place

    settings = load_settings(use_case, environment, overrides)
    return Place(environment, settings.environment), check_settings(settings, kind) if kind else ""


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
    from configs.places import is_path, own_folder
    from pipeline.schedule.base import Schedule, checked_name, default_name
    from pipeline.schedule.cron import check_cron, time_zone

    defaults = place.config.schedule
    # Runs start in another folder than this one.
    use_case = str(own_folder(use_case)) if is_path(use_case) else use_case
    check_cron(cron)
    zone = defaults.timezone if timezone is None else timezone
    time_zone(zone)
    return Schedule(
        name=checked_name(default_name(use_case) if name is None else name),
        use_case=use_case,
        cron=" ".join(cron.split()),
        environment=place.environment,
        timezone=zone,
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
    if runs_here(place):
        return f"sluiceway schedule list {options}   (`sluiceway schedule start` runs here and takes it up within seconds)"
    return f"sluiceway schedule start {options}   (runs the schedules of this machine; {name} waits until it does)"


def runs_here(place: Place) -> bool:
    """Whether a ``schedule start`` runs the schedules of this machine now."""
    from pipeline.schedule.book import local_book

    return local_book(place.config).is_held()


def rhythm(schedule: Schedule) -> str:
    """When it comes round, in words."""
    what = {
        "time": "runs at",
        "data": "looks for new data at",
        "both": f"looks for new data every {_minutes(schedule.poll_minutes)} and runs at",
    }[schedule.trigger]
    return f"{what} '{schedule.cron}' ({schedule.timezone})"


def _minutes(count: int) -> str:
    return "minute" if count == 1 else f"{count} minutes"


def coming(status: Status) -> str:
    """What comes next, and when."""
    from pipeline.schedule.cron import shown

    if status.next_run is None:
        return ""
    late = "  overdue" if status.overdue else ""
    return f"{'look' if status.next_is_look else 'run'} {shown(status.next_run, status.schedule.timezone)}{late}"


def as_document(status: Status) -> dict[str, Any]:
    """Plain values; the keys are a public contract. Of a schedule that cannot be read all but its name and the reason is null."""
    times = {key: moment.isoformat() if (moment := getattr(status, key)) else None for key in ("next_run", "last_run")}
    flags = {key: getattr(status, key) for key in ("paused", "reason", "last", "log", "failures", "damaged", "next_is_look", "overdue")}
    document = {**asdict(status.schedule), **flags, "details": status.details, **times}
    if not status.damaged:
        return document
    return {**dict.fromkeys(document), "name": status.schedule.name, "reason": status.reason, "damaged": True}


def show(status: Status) -> None:
    """A few lines for one schedule."""
    from pipeline.schedule.cron import shown

    schedule = status.schedule
    if status.damaged:
        click.echo(f"{schedule.name:<20} {click.style('damaged', fg='red', bold=True)}\n  why   {status.reason}")
        return
    state = click.style("paused", fg="yellow", bold=True) if status.paused else click.style("active", fg="green")
    click.echo(f"{schedule.name:<20} {state}  {schedule.use_case} {rhythm(schedule)}")
    if status.paused and status.reason:
        click.echo(f"  why   {status.reason}")
    if status.next_run and not status.paused:
        click.echo(f"  next  {coming(status)}")
    if status.last:
        at = shown(status.last_run, schedule.timezone) + "  " if status.last_run else ""
        count = f"   ({status.failures} failed in a row)" if status.failures else ""
        click.echo(f"  last  {at}{status.last}{count}")
    if status.log:
        click.echo(f"  log   {status.log}")
    for key, text in status.details.items():
        click.echo(f"  {key}: {text}")
