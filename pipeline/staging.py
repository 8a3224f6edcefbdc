"""A run's inputs in folders named by their content: TFX caches by place, size and time, and reads places as patterns."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from components.example_gen.source import Source
from pipeline.layout import Layout

# Each file in a numbered folder of its own, under its own name: names may be equal or look like patterns, these places do not.
PATTERN = "*/*"


def stage_data(source: Source, layout: Layout) -> Path:
    """A folder with a link to each data file; the same content is always the same folder."""
    folder = layout.home / "data" / source.digest[:16]
    for number, path in enumerate(source.files):
        place = folder / f"{number:05d}"
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            if old.name != path.name:
                old.unlink()
        partial = folder / f".{os.getpid()}"
        partial.unlink(missing_ok=True)
        partial.symlink_to(path)
        partial.replace(place / path.name)
    return folder


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
