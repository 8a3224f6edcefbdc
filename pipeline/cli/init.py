"""``sluiceway init``: a use case of one's own, outside this repository."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import click

from configs.errors import UsageError
from serving.cli_frame import json_option, print_json


@click.command()
@click.argument("name")
@click.option("--like", "model", required=True, metavar="USE_CASE", help="The use case to start from; sluiceway use-cases lists them.")
@json_option
def init(name: str, model: str, as_json: bool) -> None:
    """Write a use case NAME (a new folder here, or a path) that is built like another one, to be changed into yours.

    \b
    Example:
      sluiceway init my_model --like housing
      sluiceway run ./my_model
    """
    from configs.paths import expanded
    from configs.places import checked_name
    from pipeline.use_cases.base import check_free
    from pipeline.use_cases.scaffold import RECIPE, files_like

    folder = expanded(name)
    check_free(checked_name(folder.name), folder)
    files = files_like(folder.name, model)
    _write(folder, files)
    place = name if "/" in name else f"./{name}"
    if as_json:
        print_json({"name": folder.name, "folder": str(folder.resolve()), "like": model, "files": sorted(files)})
        return
    click.echo(f"{folder} is a use case like {model}; it runs as it is: sluiceway run {place}")
    click.echo("Make it yours:\n")
    click.echo(RECIPE.read_text(encoding="utf-8").rstrip())
    click.echo(f"\nnext sluiceway run {place} --env smoke")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """All files or none; nothing that is there already is touched."""
    if folder.exists():
        raise UsageError(f"{folder} exists already; give another name, or remove it first")
    if not folder.parent.is_dir():
        raise UsageError(f"{folder.parent}: there is no such folder")
    partial = None
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for place, content in files.items():
            path = partial / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        partial.chmod(0o777 & ~_umask())
        partial.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
