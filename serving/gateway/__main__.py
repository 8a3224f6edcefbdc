"""``python -m serving.gateway --config gateway.yaml``: a gateway as a process."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from configs.gateway import GatewayConfig
from serving.cli_frame import run_command


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), required=True, help="The gateway's configuration; changes are followed.")
@click.option("--ports-file", type=click.Path(path_type=Path), help="Where to write the port that was taken, as JSON.")
@click.option("--parent-pid", type=int, help="End when this process is gone.")
def gateway(file: Path, ports_file: Path | None, parent_pid: int | None) -> None:
    """Answer for model servers until SIGTERM or Ctrl-C.

    \b
    Example:
      sluiceway-gateway --config gateway.yaml
    """
    from serving.gateway.follow import ConfigFile

    if parent_pid is not None:
        from serving.server.orphan import watch

        watch(parent_pid, None)
    followed = ConfigFile(file)
    run(followed.config, followed, ports_file)


def run(config: GatewayConfig, followed: object | None = None, ports_file: Path | None = None) -> None:
    """Serve until told to stop.

    Args:
        followed: the `ConfigFile` whose changes are put in force.

    Raises:
        SluicewayError: the configuration cannot be put in force, or the port is taken.
    """
    from serving.gateway.process import serve

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    asyncio.run(serve(config, followed, ports_file))  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    run_command(gateway, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    main()
