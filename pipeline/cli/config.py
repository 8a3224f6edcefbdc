"""``sluiceway show`` and ``sluiceway check``: configuration seen and tested, nothing changed."""

from __future__ import annotations

import click

from pipeline.cli.options import command_line, data_option, data_override
from serving.cli_frame import json_option, print_json, settings_options


@click.command()
@click.argument("use_case")
@settings_options
@json_option
def show(use_case: str, environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Print the effective configuration of USE_CASE: its file, its environment's file, then the overrides.

    \b
    Example:
      sluiceway show taxi --env smoke --set thresholds.auc=0.7
    """
    import yaml
    from msgspec import to_builtins

    from configs.load import load_settings

    settings = load_settings(use_case, environment, overrides)
    document = to_builtins(settings)
    if as_json:
        print_json(document)
        return
    file = f"configs/use_cases/{use_case}.yaml" if settings.folder is None else f"{settings.folder}/{settings.name}.yaml"
    click.echo(f"# use case {settings.name}: {file}")
    click.echo(yaml.safe_dump(document["use_case"], sort_keys=False).rstrip())
    click.echo(f"\n# environment {environment}: configs/environments/{environment}.yaml")
    click.echo(yaml.safe_dump(document["environment"], sort_keys=False).rstrip())


@click.command()
@click.argument("use_case")
@settings_options
@data_option
@json_option
def check(use_case: str, environment: str, overrides: tuple[str, ...], data: str | None, as_json: bool) -> None:
    """Hold the configuration, the use case and the data of USE_CASE against each other; change nothing.

    \b
    Example:
      sluiceway check taxi --data trips.csv
    """
    from configs.load import load_settings
    from pipeline.run import check as hold
    from pipeline.run import plan

    settings = load_settings(use_case, environment, [*overrides, *data_override(data)])
    if settings.environment.runner == "kubeflow":
        from pipeline.kubeflow.sections import check_environment

        check_environment(settings)
    checked = hold(settings)
    planned = plan(checked)
    files = list(checked.source.places)
    if as_json:
        print_json({"use_case": use_case, "ok": True, "files": files, "columns": checked.columns, "fingerprint": planned.fingerprint})
        return
    click.echo(f"OK {use_case}: configuration, use case and data fit together")
    columns = f", {len(checked.columns)} columns" if checked.source.images is None else ""
    click.echo(f"data: {checked.source.what}{columns}: {', '.join(files[:3])}")
    following = "run" if checked.settings.environment.runner == "local" else "submit"
    same = [*(("--data", data) if data else ()), *(word for override in overrides for word in ("--set", override))]
    click.echo(f"next: {command_line(following, use_case, environment, *same)}")
