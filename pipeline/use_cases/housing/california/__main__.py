"""``python -m pipeline.use_cases.housing.california OUT.csv``: California's block groups as rows for ``sluiceway run housing --data``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.use_cases.housing.california import write_california
from serving.cli_frame import run_command


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def main(out: Path) -> None:
    """Download California housing through scikit-learn (needs internet the first time) and write it to OUT."""
    rows = write_california(out)
    click.echo(f"{rows} rows in {out}; next: sluiceway run housing --data {out} with limits of its own, see docs/use-cases/housing.md")


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
