"""``sluiceway schedule``: when a use case is run again, on this machine, on Kubernetes or on Kubeflow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline.cli.schedule_view import as_document, checked_place, coming, place_of, rhythm, runs_here, show, wanted_schedule, what_follows
from serving.cli_frame import json_option, print_json, settings_options

if TYPE_CHECKING:
    from pipeline.schedule.base import Place, Scheduler

_Command = TypeVar("_Command", bound=Callable[..., Any])
_AT_LEAST_1 = click.IntRange(min=1)
_KINDS = click.Choice(["local", "kubernetes", "kubeflow"])


def _environment_of(context: click.Context, _: click.Parameter, kind: str) -> str:
    """On a cluster it is the cluster's environment that counts, unless ``--env`` names another."""
    if kind != "local":
        context.default_map = {**(context.default_map or {}), "environment": "kubeflow"}
    return kind


def _on(command: _Command) -> _Command:
    text = "Where the schedule is kept and run; kubernetes and kubeflow take --env kubeflow where none is given."
    # Eager: it is read before --env, whose default it chooses.
    chosen: dict[str, Any] = {"is_eager": True, "callback": _environment_of}
    return click.option("--on", "kind", type=_KINDS, default="local", show_default=True, help=text, **chosen)(command)


def _wish(command: _Command) -> _Command:
    """The options that say what a schedule should be."""
    for option in reversed(
        [
            click.option("--cron", required=True, help="Five fields: minute hour day month weekday (0 and 7 are Sunday)."),
            click.option("--timezone", metavar="ZONE", help="IANA name; the cron expression is read in it.  [default: schedule.timezone]"),
            click.option(
                "--trigger", type=click.Choice(["time", "data", "both"]), default="time", show_default=True, help="What makes it run."
            ),
            click.option(
                "--poll", type=_AT_LEAST_1, default=15, show_default=True, metavar="MINUTES", help="How often `both` looks for data."
            ),
            click.option(
                "--jitter", type=click.IntRange(min=0), metavar="SECONDS", help="Start up to so late.  [default: schedule.jitter_seconds]"
            ),
            click.option(
                "--stop-after", type=_AT_LEAST_1, metavar="N", help="Failures before it pauses.  [default: schedule.stop_after_failures]"
            ),
            click.option("--name", help="Where one use case has several.  [default: the use case's name]"),
        ]
    ):
        command = option(command)
    return command


def _where(command: _Command) -> _Command:
    """The options of every verb: where, environment, overrides, --json."""
    return json_option(settings_options(_on(command)))


@click.group()
def schedule() -> None:
    """Run a use case again at set times or when there is new data; every verb may be repeated.

    \b
    Example:
      sluiceway schedule set taxi --cron "0 3 * * *" --timezone Europe/Berlin
      sluiceway schedule start                    runs the schedules of this machine
      sluiceway schedule list
    """


@schedule.command("set")
@click.argument("use_case")
@_wish
@_where
def set_schedule(use_case: str, kind: str, environment: str, overrides: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Make the schedule of USE_CASE, or change it in place.

    What is not given is the default again, also where the schedule had another value.

    \b
    Example:
      sluiceway schedule set taxi --cron "0 3 * * *" --timezone Europe/Berlin --trigger both --poll 30
    """
    place, remark = checked_place(environment, overrides, use_case, kind)
    wanted = wanted_schedule(use_case, place, overrides, **given)
    scheduler = _scheduler(kind, place)
    change = scheduler.set(wanted)
    status = next((status for status in scheduler.list() if status.schedule.name == wanted.name), None)
    following = what_follows(kind, place, overrides, wanted.name)
    if as_json:
        print_json({"change": change, "schedule": status and as_document(status), "remark": remark, "next": following})
        return
    click.secho(f"{change.upper()} schedule {wanted.name}: {wanted.use_case} {rhythm(wanted)}", fg="green", bold=True)
    if status is not None and status.paused:
        click.echo(f"paused: {status.reason}; sluiceway schedule resume {wanted.name}")
    elif status is not None and status.next_run:
        click.echo(f"next {coming(status)}")
    if remark:
        click.echo(f"remark: {remark}")
    click.echo(f"next {following}")


@schedule.command()
@click.argument("name")
@_where
def pause(name: str, kind: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """No more runs of NAME until `resume`; one under way goes on.

    \b
    Example:
      sluiceway schedule pause taxi
    """
    _scheduler(kind, place_of(environment, overrides)).pause(name)
    _told(f"PAUSED {name}", {"name": name, "paused": True}, as_json)


@schedule.command()
@click.argument("name")
@_where
def resume(name: str, kind: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Run NAME again from now on; its failures are forgotten.

    \b
    Example:
      sluiceway schedule resume taxi
    """
    _scheduler(kind, place_of(environment, overrides)).resume(name)
    _told(f"RESUMED {name}", {"name": name, "paused": False}, as_json)


@schedule.command("run-now")
@click.argument("name")
@_where
def run_now(name: str, kind: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Start a run of the schedule NAME beside its times.

    \b
    Example:
      sluiceway schedule run-now taxi
    """
    started = _scheduler(kind, place_of(environment, overrides)).run_now(name)
    _told(f"ASKED FOR {started}", {"name": name, "run": started}, as_json)


@schedule.command()
@click.argument("name")
@_where
def delete(name: str, kind: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Forget the schedule NAME; a run under way goes on.

    \b
    Example:
      sluiceway schedule delete taxi
    """
    _scheduler(kind, place_of(environment, overrides)).delete(name)
    _told(f"DELETED {name}", {"name": name, "deleted": True}, as_json)


@schedule.command("list")
@_where
def list_schedules(kind: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Every schedule: its next run, its last verdict.

    Why one is paused, where its last run told more, and whether a `schedule start` runs those of this machine.

    \b
    Example:
      sluiceway schedule list --on kubernetes --env kubeflow
    """
    place = place_of(environment, overrides)
    found = _scheduler(kind, place).list()
    # On a cluster nobody needs to start a scheduler.
    running = runs_here(place) if kind == "local" else None
    if as_json:
        print_json({"schedules": [as_document(status) for status in found], "scheduler_running": running})
        return
    if not found:
        click.echo('no schedules; make one: sluiceway schedule set taxi --cron "0 3 * * *"')
    for status in found:
        show(status)
    if found and running is False:
        click.secho("no `sluiceway schedule start` runs in this state folder: nothing is run until one does", fg="yellow")


@schedule.command(context_settings={"default_map": {"environment": "kubeflow"}})
@click.argument("use_case")
@_wish
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="How it is written.")
@json_option
@settings_options
def render(use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool, output: str, **given: Any) -> None:
    """Print the CronJob of `set --on kubernetes`; ask no cluster.

    \b
    Example:
      sluiceway schedule render taxi --cron "0 3 * * *" --set kubeflow.namespace=kubeflow | kubectl apply -f -
    """
    import json

    import yaml

    from pipeline.schedule.cronjob import render as cron_job

    place, _ = checked_place(environment, overrides, use_case, "kubernetes")
    document = cron_job(wanted_schedule(use_case, place, overrides, **given), place.config)
    if as_json or output == "json":
        print_json(document)
    else:
        # Without sharing: a person who reads it should not have to follow anchors.
        document = json.loads(json.dumps(document))
        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())


@schedule.command(hidden=True)
@click.argument("use_case")
@_wish
@click.option("--asked", is_flag=True, help="A person asked for it: no jitter, and a run also without news or while it is paused.")
@click.option("--resumed", envvar="SLUICEWAY_RESUMED", metavar="TIME", help="Failures before that are forgotten.")
@json_option
@settings_options
def fire(use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool, asked: bool, resumed: str | None, **given: Any) -> int:
    """What a CronJob's container does: wait out the jitter, look for news, run USE_CASE once, count failures.

    \b
    Example:
      sluiceway schedule fire taxi --env kubeflow --cron "0 3 * * *" --trigger data --json

    Ends with 0 also where a gate refused the model or nothing was new, and with 1 where something failed.
    """
    from pipeline.cli.schedule_fire import fire_once

    place = place_of(environment, overrides, use_case)
    fired = fire_once(
        wanted_schedule(use_case, place, overrides, **given), place, asked=asked, resumed=resumed, say=partial(_say, err=as_json)
    )
    _told(fired.text, {"use_case": use_case, "kind": fired.kind, "text": fired.text}, as_json)
    return 0 if fired.kind == "ok" else 1


@schedule.command()
@settings_options
def start(environment: str, overrides: tuple[str, ...]) -> None:
    """Run the schedules of this machine in the foreground.

    Until SIGTERM, Ctrl-C or the end of its terminal; for systemd, a container or a terminal of its own.

    \b
    Example:
      sluiceway schedule start --env local
    """
    from configs.paths import state_folder
    from pipeline.cli.schedule_fire import ended_by_signals
    from pipeline.schedule.book import local_book
    from pipeline.schedule.child import starter
    from pipeline.schedule.loop import Loop

    config = place_of(environment, overrides).config
    stop = ended_by_signals()
    book = local_book(config)
    with book.held():
        _say(f"running the schedules of {book.folder}; {len(book.names())} now, changes are seen within seconds; Ctrl-C ends")
        Loop(book, starter(book.folder / "runs", state_folder(config)), _say).run(stop)
        _say("stopped")


def _scheduler(kind: str, place: Place) -> Scheduler:
    from pipeline.schedule import load

    return load(kind)(place)


def _told(text: str, document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(text)


def _say(text: str, *, err: bool = False) -> None:
    from datetime import datetime

    click.echo(f"{datetime.now().astimezone().isoformat(sep=' ', timespec='seconds')} {text}", err=err)
