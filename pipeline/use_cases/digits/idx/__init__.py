"""Unpacks MNIST's four idx files to a folder of PNG files for each digit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import UsageError
from pipeline.use_cases.digits.features import CLASSES
from pipeline.use_cases.shipped import whole

Array = np.ndarray[Any, Any]
_PARTS = ("train", "t10k")
_IMAGES, _LABELS = "{part}-images-idx3-ubyte", "{part}-labels-idx1-ubyte"
# The format: two zero bytes, 8 for unsigned bytes, the number of dimensions; then each dimension, big-endian, 4 bytes.
_UNSIGNED_BYTES = 8


def unpack(folder: Path, out: Path) -> int:
    """Write ``out/<digit>/<part>-<number>.png`` for each image of the idx files in a folder, packed by gzip or not; how many there were.

    Raises:
        UsageError: a file is missing or is no idx file, or ``out`` is there already.
    """
    parts = [(part, read_idx(_found(folder, _IMAGES, part), 3), read_idx(_found(folder, _LABELS, part), 1)) for part in _PARTS]
    for part, images, labels in parts:
        if len(images) != len(labels):
            raise UsageError(f"{folder}: {part}: {len(images)} images and {len(labels)} labels")
        if len(labels) and labels.max() >= len(CLASSES):
            raise UsageError(f"{folder}: {part}: the label {labels.max()} is none of {', '.join(CLASSES)}")
    return write(((part, images, labels) for part, images, labels in parts), out)


def write(parts: Iterator[tuple[str, Array, Array]], out: Path) -> int:
    """Write (part, images uint8 [n, height, width], labels [n]) as files, all or nothing; how many.

    Raises:
        UsageError: ``out`` is there already, or cannot be written.
    """
    from PIL import Image

    count = 0
    with whole(out) as folder:
        for label in CLASSES:
            (folder / label).mkdir()
        for part, images, labels in parts:
            for number, (image, label) in enumerate(zip(images, labels, strict=True)):
                Image.fromarray(image).save(folder / str(label) / f"{part}-{number:05d}.png")
                count += 1
    return count


def read_idx(path: Path, dimensions: int) -> Array:
    """The unsigned bytes of an idx file, packed by gzip or not.

    Raises:
        UsageError: it is no idx file of so many dimensions.
    """
    try:
        packed = path.read_bytes()
        content = gzip.decompress(packed) if path.suffix == ".gz" else packed
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    head = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)) or len(content) < head:
        raise UsageError(f"{path}: not an idx file of unsigned bytes with {dimensions} dimension{'s' if dimensions != 1 else ''}")
    shape = [int.from_bytes(content[4 + 4 * place : 8 + 4 * place], "big") for place in range(dimensions)]
    values = np.frombuffer(content, np.uint8, offset=head)
    if values.size != int(np.prod(shape)):
        raise UsageError(f"{path}: says {' x '.join(map(str, shape))} and holds {values.size} values; it is cut off or damaged")
    return values.reshape(shape)


def _found(folder: Path, pattern: str, part: str) -> Path:
    name = pattern.format(part=part)
    # Some copies write a dot where the original has a hyphen.
    names = [variant + end for variant in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    path = next((folder / each for each in names if (folder / each).is_file()), None)
    if path is None:
        raise UsageError(f"{folder}: there is no {name} or {name}.gz")
    return path
