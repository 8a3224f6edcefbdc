"""``sluiceway``: its commands, and how each of them ends."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from serving.cli import COMMANDS as SERVING_COMMANDS

# Command to where it lives and what it is for; a command's module is imported when that command is called.
COMMANDS = {
    "run": ("pipeline.cli.run:run", "Train, judge and publish a use case."),
    "use-cases": ("pipeline.cli.use_cases:use_cases", "List what can be built, and what is live."),
    "init": ("pipeline.cli.init:init", "Start a use case of your own."),
    "check": ("pipeline.cli.config:check", "Check configuration and data; change nothing."),
    "show": ("pipeline.cli.config:show", "Print the effective configuration."),
    "step": ("pipeline.cli.step:step", "Run one node, as a container does."),
    "compile": ("pipeline.cli.compile:compile", "Write the pipeline for Kubeflow."),
    "upload": ("pipeline.cli.submit:upload", "Bring the compiled pipeline to Kubeflow."),
    "submit": ("pipeline.cli.submit:submit", "Run a use case on Kubeflow."),
    "schedule": ("pipeline.cli.schedule:schedule", "Run it again at set times, or when there is new data."),
    **SERVING_COMMANDS,
    "doctor": ("pipeline.cli.doctor:doctor", "Tell what is missing on this machine."),
}

# It, Beam and their threads take seconds to unwind.
_SLOW_TO_UNWIND = "tensorflow"


class _Commands(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sluiceway", message="%(prog)s %(version)s")
def cli() -> None:
    """From data to live traffic, again and again, without a bad model getting through.

    \b
    Example:
      sluiceway run taxi          train, judge and publish
      sluiceway serve             serve what is live
      sluiceway predict taxi @row.json

    Exit codes: 0 done, 1 failure, 2 usage or configuration, 3 refused by a gate, 4 rolled back.
    """


def main(arguments: list[str] | None = None) -> Any:
    """The entry point: run one command and exit with its code."""
    from serving.cli_frame import run_command

    arguments = sys.argv[1:] if arguments is None else arguments
    # Apache Beam reads the process's arguments as its own options wherever a pipeline is made without any.
    del sys.argv[1:]
    try:
        run_command(cli, arguments or ["--help"])
    except SystemExit as end:
        if _SLOW_TO_UNWIND not in sys.modules:
            raise
        # Everything of ours is closed and on the disk by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(end.code or 0))
