"""What lies under a model's base path: which version directories there are, and which of them are complete."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.errors import StoreError, VersionDamaged
from serving.protocol.status import Code, StatusError
from serving.store.manifest import MANIFEST, content_digest, differences, digest_files, read_manifest

# TF Serving reads the name as an int64. Ours are written by a store that never pads or signs them.
_VERSION_NAME = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_ANY_INTEGER = re.compile(r"\s*([+-]?)0*(\d{1,19})\s*", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_SHARD = re.compile(r"variables/variables\.data-(\d{5})-of-(\d{5})", re.ASCII)
_INDEX = "variables/variables.index"
_MODEL = "saved_model.pb"
_MOST_DIFFERENCES = 5


@dataclass(frozen=True)
class Found:
    """A version. ``problem`` is None when it is complete; ``fingerprint`` changes when its files do."""

    version: int
    path: Path
    problem: str | None = None
    fingerprint: str = ""


def scan(base_path: Path, known: Mapping[int, Found] | None = None) -> list[Found]:
    """All children of `base_path` whose name is a version, lowest first. Raises OSError when it cannot be listed.

    ``known`` is what an earlier scan found: a version whose names, sizes and times are the same is not looked into again.
    """
    children = [child for child in base_path.iterdir() if _VERSION_NAME.fullmatch(child.name) and int(child.name) in _INT64]
    known = known or {}
    return [_look_at(child, known.get(int(child.name))) for child in sorted(children, key=lambda child: int(child.name))]


def scan_like_upstream(base_path: Path) -> list[Found]:
    """All children of `base_path` that TF Serving takes for a version, in the byte order of their names. Raises OSError.

    Files count, signs, zeros and blanks around the number do not matter, so one version may appear twice; nothing is looked into.
    """
    children = sorted(base_path.iterdir(), key=lambda child: os.fsencode(child.name))
    numbered = ((_int64(child.name), child) for child in children)
    return [Found(number, child) for number, child in numbered if number is not None]


def _int64(name: str) -> int | None:
    match = _ANY_INTEGER.fullmatch(name)
    if match is None:
        return None
    number = int(match[1] + match[2])
    return number if number in _INT64 else None


def _look_at(path: Path, known: Found | None) -> Found:
    version = int(path.name)
    try:
        if not path.is_dir():
            return Found(version, path, f"{path} is not a directory")
        files = dict(_files(path))
        fingerprint = "|".join(f"{name}:{size}:{time}" for name, (size, time) in sorted(files.items()))
        if known is not None and known.path == path and known.fingerprint == fingerprint:
            return known
        return Found(version, path, _problem(path, files.keys()), fingerprint)
    except OSError as error:  # it may be going away while we look
        return Found(version, path, f"{path} cannot be read: {error.strerror or error}")


def _files(path: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every file below a version with its size and the time of its last change, also of its rights, in nanoseconds; no content is read."""

    def fail(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(path, onerror=fail):
        for name in names:
            file = Path(folder, name)
            status = file.stat()
            yield file.relative_to(path).as_posix(), (status.st_size, max(status.st_mtime_ns, status.st_ctime_ns))


def _problem(path: Path, names: Collection[str]) -> str | None:
    if _MODEL not in names:
        return f"{path} does not appear to contain a SavedModel bundle (should have a file called `{_MODEL}`)"
    if missing := missing_variables(names):
        return f"{path}/{missing} is missing"
    if MANIFEST not in names:
        return None
    try:
        listed = read_manifest(path).files
    except VersionDamaged as error:
        return f"{path}/{MANIFEST}: {error}"
    except StoreError as error:
        return str(error)
    # A manifest holds no sizes, so a scan compares the names; `verify` reads the contents when the version is loaded.
    wrong = differences(listed, {name: listed.get(name, "") for name in names if name != MANIFEST})
    return f"{path} does not match its manifest: {_listed(wrong)}" if wrong else None


def missing_variables(names: Collection[str]) -> str | None:
    """Which file of a checkpoint is missing, if it can be told from the names. None at all is fine: a model may have no variables."""
    shards = [match.groups() for name in names if (match := _SHARD.fullmatch(name))]
    if shards and _INDEX not in names:
        return _INDEX
    if _INDEX in names and not shards:
        return "variables/variables.data-*"
    for total in sorted({total for _, total in shards}):
        for number in range(int(total)):
            name = f"variables/variables.data-{number:05d}-of-{total}"
            if name not in names:
                return name
    return None


def verify(version_dir: Path) -> None:
    """Hold every file of a version against the digests in its manifest; nothing to do where there is no manifest. Reads it all.

    Raises StatusError: DATA_LOSS, which names the files that are wrong, or UNAVAILABLE when they cannot be read.
    """
    if not (version_dir / MANIFEST).is_file():
        return
    try:
        manifest = read_manifest(version_dir)
        found = digest_files(version_dir)
    except VersionDamaged as error:
        raise StatusError(Code.DATA_LOSS, f"{version_dir / MANIFEST}: {error}") from error
    except (StoreError, OSError) as error:
        raise StatusError(Code.UNAVAILABLE, f"{version_dir} cannot be read: {error}") from error
    wrong = differences(manifest.files, found)
    if not wrong and content_digest(manifest.files) != manifest.digest:
        wrong = [f"{MANIFEST} was changed"]
    if wrong:
        raise StatusError(Code.DATA_LOSS, f"{version_dir} does not match its manifest: {_listed(wrong)}")


def _listed(lines: list[str]) -> str:
    rest = len(lines) - _MOST_DIFFERENCES
    return "; ".join(lines[:_MOST_DIFFERENCES]) + (f"; and {rest} more" if rest > 0 else "")
