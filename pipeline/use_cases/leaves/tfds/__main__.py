"""``python -m pipeline.use_cases.leaves.tfds OUT``: the real cassava photos as images for ``sluiceway run leaves --data OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from configs.errors import SluicewayError
from pipeline.use_cases.leaves.tfds import photos, write


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    """Download the labelled photos of TensorFlow Datasets' cassava to OUT/<kind>/*.jpg (internet, tensorflow-datasets).

    Example: python -m pipeline.use_cases.leaves.tfds ~/cassava
    """
    try:
        count = write(photos(), out.expanduser())
    except SluicewayError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    click.echo(f"{count:,} photos in {out}; sluiceway run leaves --data {out}")


if __name__ == "__main__":
    main()
