"""Writes the cassava photos of TensorFlow Datasets to a folder for each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from configs.errors import UsageError
from pipeline.use_cases.leaves.features import CLASSES
from pipeline.use_cases.shipped import whole


def photos() -> Iterator[tuple[str, str, bytes]]:
    """(part, kind, JPEG file) of each labelled photo; downloads them the first time.

    Raises:
        UsageError: tensorflow_datasets is not installed, or the photos cannot be had.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UsageError("tensorflow_datasets is not installed; pip install tensorflow-datasets") from error
    try:
        # The file's own bytes: decoding them and encoding them again would cost quality.
        parts, info = tfds.load("cassava", with_info=True, decoders={"image": tfds.decode.SkipDecoding()})
    except Exception as error:
        # Downloads and their checks raise whatever they like.
        raise UsageError(f"the cassava photos cannot be had: {' '.join(str(error).split())[:200]}") from error
    kinds = info.features["label"].names
    for part, examples in sorted(parts.items()):
        for example in tfds.as_numpy(examples):
            yield part, kinds[int(example["label"])], bytes(example["image"])


def write(found: Iterator[tuple[str, str, bytes]], out: Path) -> int:
    """Write ``out/<kind>/<part>-<number>.jpg``, all or nothing; how many.

    Raises:
        UsageError: ``out`` is there already or cannot be written, or a kind is none of ours.
    """
    count = 0
    with whole(out) as folder:
        for kind in CLASSES:
            (folder / kind).mkdir()
        for part, kind, content in found:
            if kind not in CLASSES:
                raise UsageError(f"the kind {kind!r} is none of {', '.join(CLASSES)}")
            (folder / kind / f"{part}-{count:05d}.jpg").write_bytes(content)
            count += 1
    return count
