"""``python -m serving.gateway --config gateway.yaml``: a gateway as a process."""

from __future__ import annotations

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
@click.option("--remove-on-exit", type=click.Path(path_type=Path), help="Delete this launch directory, marked as one, when that happens.")
def gateway(file: Path, ports_file: Path | None, parent_pid: int | None, remove_on_exit: Path | None) -> None:
    """Answer for model servers until SIGTERM or Ctrl-C.

    \b
    Example:
      sluiceway-gateway --config gateway.yaml
    """
    from serving.gateway.follow import ENVIRONMENT, ConfigFile

    if parent_pid is not None:
        from serving.server.orphan import watch

        watch(parent_pid, remove_on_exit)
    # What `sluiceway up` wrote for this launch has its keys from an environment, where a person will look for them.
    followed = ConfigFile(file, ENVIRONMENT if remove_on_exit else None)
    run(followed.config, followed, ports_file)


class _Lines(logging.Formatter):
    """Plain text, and the level of what somebody should look at before it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, or several with a traceback."""
        text = super().format(record)
        return text if record.levelno < logging.WARNING else f"{record.levelname} {text}"


def run(config: GatewayConfig, followed: object | None = None, ports_file: Path | None = None, store: Path | None = None) -> None:
    """Serve until told to stop.

    Args:
        followed: the `ConfigFile` whose changes are put in force.
        store: the version store's folder where the configuration names none; it may come later.

    Raises:
        SluicewayError: the configuration cannot be put in force, or the port is taken.
    """
    import uvloop

    from serving.gateway.process import serve

    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    uvloop.run(serve(config, followed, ports_file, store))  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    run_command(gateway, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    main()
