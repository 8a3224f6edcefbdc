"""``python -m pipeline.use_cases.digits.idx FOLDER OUT``: full MNIST as images for ``sluiceway run digits --data OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from configs.errors import SluicewayError, UsageError
from pipeline.use_cases.digits.idx import unpack, write


@click.command()
@click.option("--download", is_flag=True, help="Let keras.datasets get MNIST (internet); then only OUT is given.")
@click.argument("places", nargs=-1, metavar="[FOLDER] OUT")
def main(download: bool, places: tuple[str, ...]) -> None:
    """Unpack the four idx files of FOLDER to OUT/<digit>/*.png.

    Example: python -m pipeline.use_cases.digits.idx ~/mnist ~/mnist-images
    """
    if len(places) != (1 if download else 2):
        raise click.UsageError("expected FOLDER OUT, or --download OUT")
    try:
        out = Path(places[-1]).expanduser()
        count = _downloaded(out) if download else unpack(Path(places[0]).expanduser(), out)
    except SluicewayError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    click.echo(f"{count:,} images in {out}; sluiceway run digits --data {out}")


def _downloaded(out: Path) -> int:
    from keras.datasets import mnist

    try:
        (images, labels), (more_images, more_labels) = mnist.load_data()
    except Exception as error:
        # Keras raises a plain Exception when it cannot download.
        raise UsageError(
            f"MNIST cannot be downloaded: {' '.join(str(error).split())[:200]}; get the four idx files and give FOLDER"
        ) from error
    return write(iter((("train", images, labels), ("t10k", more_images, more_labels))), out)


if __name__ == "__main__":
    main()
