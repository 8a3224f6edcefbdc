"""``sluiceway run``: one run, what it shows, and how it ends."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import click

from configs.errors import UsageError
from pipeline.cli.options import command_line, data_option, data_override
from serving.cli_frame import json_option, print_json, settings_options

_MOST_REASONS = 5


@click.command()
@click.argument("use_case")
@settings_options
@data_option
@click.option("--no-cache", is_flag=True, help="Run every node again, also when nothing is new.")
@click.option("-v", "--verbose", is_flag=True, help="Show what the libraries print.")
@json_option
def run(use_case: str, environment: str, overrides: tuple[str, ...], data: str | None, no_cache: bool, verbose: bool, as_json: bool) -> int:
    """Train USE_CASE on its data, judge it, boot a server on it, publish it.

    \b
    Example:
      sluiceway run taxi
      sluiceway run taxi --data 'trips/*.csv' --set thresholds.auc=0.9

    Ends with 0 when the model is live or nothing is new, 3 when a gate refused it, 2 for wrong input, 1 when something failed.
    """
    from configs.load import load_settings
    from pipeline.run import check, plan

    given = [*overrides, *data_override(data), *(["cache=false"] if no_cache else [])]
    settings = load_settings(use_case, environment, given)
    if settings.environment.runner != "local":
        raise UsageError(
            f"the environment {environment} runs on Kubeflow Pipelines: sluiceway submit {use_case} --env {environment}; "
            "to run it in this process all the same: --set runner=local"
        )
    checked = check(settings)
    planned = plan(checked)
    return _show(planned, use_case, verbose=verbose, as_json=as_json)


def _show(planned: Any, asked: str, *, verbose: bool, as_json: bool) -> int:
    """``asked``: the use case as the person wrote it, which may be a path."""
    from pipeline.cli.noise import kept_in
    from pipeline.cli.progress import progress
    from pipeline.guards import make_home
    from pipeline.nodes import node_names
    from pipeline.run import execute, expected_seconds

    settings, layout = planned.checked.settings, planned.checked.layout
    nodes = node_names(tuner=settings.use_case.tuner.enabled)
    answers: list[Any] = []
    started = time.monotonic()
    make_home(layout)
    with kept_in(planned.folder / "log.txt", verbose=verbose) as screen:
        stream = screen.err if as_json else screen.out
        view = progress(
            stream, f"{settings.name} ({settings.environment_name})", nodes, expected_seconds(layout), live=stream.isatty() and not verbose
        )
        with view:

            def prove(settings: Any, version: Any) -> None:
                from pipeline.proof import prove as ask

                view.note("asking the published version ...")
                answers.extend(ask(settings, version))

            result = execute(planned, view, prove, view.note)
    result = replace(result, seconds=time.monotonic() - started)
    if as_json:
        if result.reasons:
            click.echo(f"sluiceway: {result.verdict}: {result.reasons[0].message}", err=True)
        print_json({**result.as_json(), "answers": [vars(answer) for answer in answers]})
    else:
        _conclude(result, answers, asked, settings.environment_name)
    return int(result.exit_code)


def _conclude(result: Any, answers: list[Any], asked: str, environment: str) -> None:
    """Verdict first, then where to look, then what to do next."""
    name = result.use_case
    following = command_line("serve", asked, environment)
    if result.verdict == "live":
        click.secho(f"LIVE {name} v{result.version}", fg="green", bold=True)
    elif result.verdict == "unchanged":
        click.secho(f"UNCHANGED {name} v{result.version} is live; nothing is new", fg="blue", bold=True)
        following += f"   ({command_line('run', asked, environment, '--no-cache')} trains again)"
    else:
        said = f"REFUSED by {result.gate}" if result.verdict == "refused" else "FAILED"
        click.secho(f"{said}: {result.reasons[0].message}", fg="red", bold=True)
        for reason in result.reasons[1:_MOST_REASONS]:
            click.echo(f"  also: {reason.message}")
        if len(result.reasons) > _MOST_REASONS:
            click.echo(f"  and {len(result.reasons) - _MOST_REASONS} more: {command_line('history', asked, environment, '--json')}")
        click.echo(f"live is: {f'v{result.version}' if result.version else 'nothing'}")
        again = f"{command_line('run', asked, environment)}   (goes on from what is cached)"
        following = command_line("history", asked, environment) if result.verdict == "refused" else again
    for answer in answers:
        shown = ", ".join(f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in answer.outputs.items())
        click.echo(f"{answer.transport:<5}{shown}   (v{result.version}, first golden request)")
    click.echo(f"log  {result.log}")
    click.echo(f"next {following}")
