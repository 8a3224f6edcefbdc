"""``sluiceway upload`` and ``sluiceway submit``: the pipeline to Kubeflow, and a run of it there."""

from __future__ import annotations

import shlex
import sys
import time
from typing import Any

import click

from configs.errors import ExitCode
from pipeline.cli.options import data_override
from serving.cli_frame import json_option, print_json, settings_options

_INTERRUPTED = 130
_KUBEFLOW: dict[str, Any] = {"default_map": {"environment": "kubeflow"}, "show_default": False}

_host_option = click.option("--host", metavar="URL", help="Address of the KFP API; else kubeflow.host of the environment.")
_file_option = click.option("--file", "package_file", metavar="YAML", help="A compiled pipeline, instead of compiling USE_CASE now.")


@click.command(context_settings=_KUBEFLOW)
@click.argument("use_case")
@settings_options
@_host_option
@_file_option
@json_option
def upload(use_case: str, environment: str, overrides: tuple[str, ...], host: str | None, package_file: str | None, as_json: bool) -> int:
    """Bring the compiled USE_CASE to Kubeflow Pipelines: a new pipeline, or a new version of it. The same content is the same version.

    \b
    Example:
      sluiceway upload taxi --host http://localhost:8888
      sluiceway upload taxi --file taxi.yaml
    """
    from pipeline.kubeflow.client import open_client
    from pipeline.kubeflow.sections import check_environment
    from pipeline.kubeflow.upload import upload as bring

    settings, split = _settings(use_case, environment, overrides, host)
    given = _given(package_file)
    if given is None:
        check_environment(settings)
    with open_client(settings.environment.kubeflow) as client:
        package = given or _compiled(settings, split)
        uploaded = bring(client, package)
    if as_json:
        print_json({"use_case": use_case, "pipeline": package.name, **vars(uploaded), "host": client.host})
    else:
        click.echo(f"{uploaded.change:<9} {package.name}, version {uploaded.version}")
        same = [*(["--host", host] if host else []), *(["--file", package_file] if package_file else [])]
        click.echo(f"next {shlex.join(['sluiceway', 'submit', use_case, *same, '--watch'])}")
    return int(ExitCode.DONE)


@click.command(context_settings=_KUBEFLOW)
@click.argument("use_case")
@settings_options
@_host_option
@_file_option
@click.option("--data", metavar="URI", help="Data of this run: a path in the steps' containers or a bucket URI.")
@click.option("--watch", is_flag=True, help="Stay and show the nodes until the run has ended.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="MINUTES", help="Watch no longer; the run goes on.")
@json_option
def submit(
    use_case: str,
    environment: str,
    overrides: tuple[str, ...],
    host: str | None,
    package_file: str | None,
    data: str | None,
    watch: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Run USE_CASE on Kubeflow Pipelines; upload it first where the server does not have it.

    data.source, store.path, budget and thresholds given with --set become parameters of the run; all else is compiled into the pipeline.

    \b
    Example:
      sluiceway submit taxi --host http://localhost:8888 --watch
      sluiceway submit taxi --data gs://bucket/trips --set thresholds.auc=0.9

    With --watch it ends as `sluiceway run` does: 0 live or unchanged, 3 refused by a gate, 1 failed.
    """
    from pipeline.kubeflow.client import open_client
    from pipeline.kubeflow.runtime import values
    from pipeline.kubeflow.sections import check_environment, check_rows
    from pipeline.kubeflow.submit import submit as start
    from pipeline.kubeflow.upload import upload as bring

    settings, split = _settings(use_case, environment, [*overrides, *data_override(data)], host)
    given = _given(package_file)
    check_environment(settings)
    if given is None or "data" in split.parameters:
        check_rows(settings)
    if given is not None:
        values(settings, split.parameters, given)
    kubeflow = settings.environment.kubeflow
    with open_client(kubeflow) as client:
        package = given or _compiled(settings, split)
        parameters = values(settings, split.parameters, package)
        uploaded = bring(client, package)
        run = start(client, kubeflow, uploaded, use_case, parameters)
        url = client.run_url(run.run_id)
        if watch:
            return _watch(client, settings, run, timeout, as_json=as_json)
    if as_json:
        print_json({"use_case": use_case, "run_id": run.run_id, "url": url, "parameters": parameters, **vars(uploaded)})
    else:
        click.echo(f"SUBMITTED {use_case}, version {uploaded.version} ({uploaded.change})")
        click.echo(f"run  {url}")
    return int(ExitCode.DONE)


def _settings(use_case: str, environment: str, overrides: Any, host: str | None) -> tuple[Any, Any]:
    """The effective configuration, and which overrides go into the pipeline itself."""
    from configs.load import load_settings
    from pipeline.kubeflow.runtime import split

    given = [*overrides, *([f"kubeflow.host={host}"] if host else [])]
    return load_settings(use_case, environment, given), split(given)


def _given(package_file: str | None) -> Any:
    """The package of ``--file``, looked at before the server is; None where there is none to look at."""
    from pipeline.kubeflow.package import read_file

    return None if package_file is None else read_file(package_file)


def _compiled(settings: Any, split: Any) -> Any:
    from pipeline.kubeflow.runtime import compiled

    return compiled(settings.name, settings.environment_name, split)


def _watch(client: Any, settings: Any, run: Any, minutes: float | None, *, as_json: bool) -> int:
    from pipeline.cli.progress import progress
    from pipeline.kubeflow.follow import Patience, StillRunning, follow
    from pipeline.nodes import node_names

    url, begun = client.run_url(run.run_id), time.monotonic()
    nodes = node_names(tuner=settings.use_case.tuner.enabled)
    stream = sys.stderr if as_json else sys.stdout
    view = progress(stream, f"{settings.name} on {client.host}", nodes, {}, live=stream.isatty())
    view.note(f"run  {url}")
    try:
        with view:
            reading = follow(client, run.run_id, nodes, view, view.note, Patience(minutes * 60 if minutes else None))
    except KeyboardInterrupt:
        click.echo(f"sluiceway: watching stopped; the run goes on: {url}", err=True)
        return _INTERRUPTED
    except StillRunning as error:
        raise StillRunning(f"{error}: {url}") from error
    result = _result(settings.name, run.run_id, url, reading, time.monotonic() - begun)
    if as_json:
        print_json({**result.as_json(), "url": url})
    else:
        _conclude(result)
    return int(result.exit_code)


def _result(use_case: str, run_id: str, url: str, reading: Any, seconds: float) -> Any:
    """What the run came to, in the shape of a local run's. The versions are in the store, which is not looked at from here."""
    from pipeline.runners.base import RunResult

    ending = reading.ending
    return RunResult(
        use_case=use_case,
        verdict=ending.verdict,
        version=None,
        champion=None,
        run_id=run_id,
        log=url,
        seconds=seconds,
        exit_code=ending.exit_code,
        gate=ending.gate,
        reasons=ending.reasons,
        nodes=reading.nodes,
    )


def _conclude(result: Any) -> None:
    name = result.use_case
    if result.verdict == "live":
        click.secho(f"LIVE {name}", fg="green", bold=True)
    elif result.verdict == "unchanged":
        click.secho(f"UNCHANGED {name}: nothing is new", fg="blue", bold=True)
    else:
        said = f"REFUSED by {result.gate}" if result.verdict == "refused" else "FAILED"
        click.secho(f"{said}: {result.reasons[0].message}", fg="red", bold=True)
    click.echo(f"run  {result.log}")
