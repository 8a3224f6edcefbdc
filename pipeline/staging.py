"""A run's inputs in folders named by their content: TFX caches by place, size and time, and reads places as patterns."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from components.example_gen.index import INDEX_FILE, SEEN_FILE, ImageIndex, index_text, seen_text
from components.example_gen.source import URI_SUFFIX, Source
from pipeline.layout import Layout

# Each file in a numbered folder of its own, under its own name: names may be equal or look like patterns, these places do not.
PATTERN = "*/*"


def stage_data(source: Source, layout: Layout) -> Path:
    """A folder with a stand-in for each data file; the same content is always the same folder.

    The stand-in for a local file is a link to it, for one in a bucket a small file with its URI (``source.real_place`` reads both), for
    images one file that lists them.
    """
    folder = layout.home / "data" / source.digest[:16]
    for number, path in enumerate(source.files):
        partial = _stand_in(folder, number, path.name)
        partial.symlink_to(path)
        partial.replace(folder / f"{number:05d}" / path.name)
    for number, uri in enumerate(source.uris):
        _write_stand_in(folder, number, uri.partition("?")[0].rpartition("/")[2] + URI_SUFFIX, uri + "\n")
    if source.images is not None:
        _stage_index(folder, source.images)
    return folder


def _stage_index(folder: Path, images: ImageIndex) -> None:
    _write_stand_in(folder, 0, INDEX_FILE, index_text(images))
    # Not where TFX looks: times change where content does not.
    partial = folder / f".{os.getpid()}"
    partial.write_text(seen_text(images), encoding="utf-8")
    partial.replace(folder / SEEN_FILE)


def _write_stand_in(folder: Path, number: int, name: str, content: str) -> None:
    """A stand-in that is a file. TFX caches by time, too: what says the same already is left alone."""
    place = folder / f"{number:05d}" / name
    if not place.is_file() or place.is_symlink() or place.read_text(encoding="utf-8") != content:
        partial = _stand_in(folder, number, name)
        partial.write_text(content, encoding="utf-8")
        partial.replace(place)


def _stand_in(folder: Path, number: int, name: str) -> Path:
    """Where to make the stand-in before it takes its place; another name's is gone from there."""
    place = folder / f"{number:05d}"
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        if old.name != name:
            old.unlink()
    partial = folder / f".{os.getpid()}"
    partial.unlink(missing_ok=True)
    return partial


def stage_schema(schema: Path, layout: Layout) -> Path:
    """A folder that holds the curated schema alone, as TFX wants it; a copy, for it is cached and the original may be edited."""
    content = schema.read_bytes()
    folder = layout.home / "schemas" / hashlib.sha256(content).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    target, partial = folder / "schema.pbtxt", folder.with_suffix(f".{os.getpid()}")
    if not target.exists() or target.read_bytes() != content:
        partial.write_bytes(content)
        partial.replace(target)
    return folder
