"""``--data``, as ``run`` and ``check`` take it."""

from __future__ import annotations

from typing import Any

import click

data_option: Any = click.option("--data", metavar="PATH", help="A CSV file, a folder of them or a glob, instead of the configured source.")


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
    return " ".join(["sluiceway", command, use_case, *place, *more])
