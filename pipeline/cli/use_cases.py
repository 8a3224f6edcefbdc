"""``sluiceway use-cases``: what can be built here, and what of it is live."""

from __future__ import annotations

from typing import Any

import click

from configs.errors import SluicewayError
from serving.cli_frame import json_option, print_json, settings_options


@click.command("use-cases")
@settings_options
@json_option
def use_cases(environment: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """List the use cases with their task, the rows that ship with them, and the version that is live.

    \b
    Example:
      sluiceway use-cases
    """
    from pipeline.use_cases import USE_CASES

    rows, problems = [], {}
    for name in sorted(USE_CASES):
        try:
            rows.append(_row(name, environment, overrides))
        except SluicewayError as error:
            # One that is broken must not hide the others.
            problems[name] = str(error)
    if as_json:
        print_json({"use_cases": rows, "problems": problems})
        return
    for problem in problems.values():
        click.echo(f"sluiceway: {problem}", err=True)
    widths = {key: max((len(str(row[key])) for row in rows), default=0) for key in ("name", "task", "rows")}
    for row in rows:
        live = f"v{row['live']} live" if row["live"] else "-"
        click.echo(
            f"{row['name']:<{widths['name']}}  {row['task']:<{widths['task']}}  {row['rows']:<{widths['rows']}}  {live:<8}  {row['about']}"
        )


def _row(name: str, environment: str, overrides: tuple[str, ...]) -> dict[str, Any]:
    from configs.load import load_settings
    from configs.paths import store_folder
    from pipeline.use_cases.base import get_use_case
    from serving.store import open_store

    found = get_use_case(name)
    chosen = load_settings(name, environment, overrides).environment
    live = open_store(chosen.store.kind, str(store_folder(chosen))).live(name)
    return {"name": name, "task": found.task, "rows": found.rows, "live": live.number if live else None, "about": found.about}
