"""What lies under a model's base path: which version directories there are, and which of them are complete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# TF Serving reads the name as an int64. Ours are written by a store that never pads or signs them.
_VERSION_NAME = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_SHARD = re.compile(r"variables\.data-(\d{5})-of-(\d{5})", re.ASCII)


@dataclass(frozen=True)
class Found:
    """A version directory. ``problem`` is None when it is complete; ``fingerprint`` changes when its files do."""

    version: int
    path: Path
    problem: str | None = None
    fingerprint: str = ""


def scan(base_path: Path) -> list[Found]:
    """All children of `base_path` whose name is a version, lowest first. Raises OSError when it cannot be listed."""
    children = [child for child in base_path.iterdir() if _VERSION_NAME.fullmatch(child.name)]
    return [_look_at(child) for child in sorted(children, key=lambda child: int(child.name))]


def _look_at(path: Path) -> Found:
    version = int(path.name)
    try:
        if not path.is_dir():
            return Found(version, path, f"{path} is not a directory")
        if not (path / "saved_model.pb").is_file():
            return Found(
                version, path, f"{path} does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)"
            )
        return Found(version, path, missing_variables(path / "variables"), _fingerprint(path))
    except OSError as error:  # it may be going away while we look
        return Found(version, path, f"{path} cannot be read: {error.strerror or error}")


def missing_variables(folder: Path) -> str | None:
    """Which file of a checkpoint is missing, if it can be told from the names. No folder is fine: a model may have no variables."""
    if not folder.is_dir():
        return None
    names = {child.name for child in folder.iterdir()}
    shards = [match.groups() for name in names if (match := _SHARD.fullmatch(name))]
    if shards and "variables.index" not in names:
        return f"{folder}/variables.index is missing"
    if "variables.index" in names and not shards:
        return f"{folder}/variables.data-* is missing"
    for total in {total for _, total in shards}:
        for number in range(int(total)):
            name = f"variables.data-{number:05d}-of-{total}"
            if name not in names:
                return f"{folder}/{name} is missing"
    return None


def _fingerprint(path: Path) -> str:
    """Names, sizes and times of the files that a load reads first. Cheap: no content is read."""
    parts = []
    for pattern in ("saved_model.pb", "variables/*", "assets/*", "assets.extra/*"):
        for file in sorted(path.glob(pattern)):
            status = file.stat()
            parts.append(f"{file.name}:{status.st_size}:{status.st_mtime_ns}")
    return "|".join(parts)
