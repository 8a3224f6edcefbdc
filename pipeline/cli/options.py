"""``--data``, as ``run`` and ``check`` take it."""

from __future__ import annotations

import shlex
from typing import Any

import click

data_option: Any = click.option(
    "--data", metavar="PATH", help="Rows or images instead of the configured ones: a file, a folder, a glob (docs/data.md)."
)


def data_override(data: str | None) -> list[str]:
    """The override that ``--data`` stands for; none where it was not given.

    The path is quoted as a YAML text, so that one like ``2024`` or ``*.csv`` stays a text.
    """
    return [] if data is None else [f"data.source={quoted(data)}"]


def quoted(text: str) -> str:
    """A text as YAML reads it back, whatever it looks like."""
    return "'" + text.replace("'", "''") + "'"


def command_line(command: str, use_case: str, environment: str, *more: str) -> str:
    """What to type next, in the environment that this command ran in."""
    place = [] if environment == "local" else ["--env", environment]
    return shlex.join(["sluiceway", command, use_case, *place, *more])
