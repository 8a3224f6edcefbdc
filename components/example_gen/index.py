"""The index of a data set's images: where each is, its class and the digest of its bytes, in a file that workers read line by line."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.example_gen.images import Labelled
from configs.errors import UsageError

# A folder's index of images, and what was known of the files when it was made: beside it, for TFX caches by the index's content.
INDEX_FILE, SEEN_FILE = "images.jsonl", "seen.json"
_BLOCK = 1 << 20
# Reading waits for the disk, and hashing lets other threads work.
_THREADS = 8
# A file that was written this recently may be written again without its time changing.
_FRESH_NS = 2 * 10**9
# Files of zero bytes are alike, and no pictures.
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Entry:
    """One image. ``path``: below the root; ``name``: below its source; ``label``: its class; ``sha256``: of its bytes, hexadecimal."""

    path: str
    name: str
    label: str
    sha256: str


@dataclass(frozen=True)
class ImageIndex:
    """All images below a root. The order is by class, then by content, so that the first so many are a fair sample and do not change.

    digest: of everything but the root.
    seen:   path to (size, time written, time changed, sha256) of files that had not just been written.
    """

    root: Path
    entries: tuple[Entry, ...]
    digest: str
    seen: Mapping[str, Sequence[int | str]]


def remarks(index: ImageIndex, classes: Sequence[str], others: Sequence[str]) -> str:
    """What is to be said of images beside how many there are, in a few words each; the first begins with a comma.

    The same picture in two classes is no error: public data sets have such, and which label is wrong only a person can say.

    Args:
        classes: the use case's.
        others: files that lie among the images and are none.
    """
    there = {entry.label for entry in index.entries}
    labels: dict[str, dict[str, str]] = {}
    for entry in index.entries:
        labels.setdefault(entry.sha256, {}).setdefault(entry.label, entry.path)
    twice = sorted(sorted(places.values()) for digest, places in labels.items() if len(places) > 1 and digest != _NOTHING)
    absent = [name for name in classes if name not in there]
    told = [f"none of {' and '.join(absent)}"] if absent else []
    if others:
        told.append(f"{len(others):,} other file{'s' if len(others) != 1 else ''} left aside (such as {_shown(others[0])})")
    if twice:
        first, second = twice[0][:2]
        told.append(f"{len(twice):,} in more than one class (such as {first} and {second})")
    return "".join(f", {part}" for part in told)


def _shown(name: str) -> str:
    """A file's name may be no text."""
    return name.encode(errors="replace").decode()


def indexed(root: Path, images: Sequence[Labelled], known: Path | None = None) -> ImageIndex:
    """Read the images' bytes, or know them from a run before.

    Args:
        known: a folder below which runs staged their indices.

    Raises:
        UsageError: one cannot be read.
    """
    before = _seen_before(root, known) if known is not None else {}
    with ThreadPoolExecutor(_THREADS) as threads:
        told = list(threads.map(lambda image: _digest(root / image.path, before.get(image.path)), images))
    entries = [Entry(image.path, image.name, image.label, str(stamp[-1])) for image, (stamp, _) in zip(images, told, strict=True)]
    entries.sort(key=lambda entry: (entry.label, entry.sha256, entry.path))
    lines = "".join(f"{_line(entry)}\n" for entry in sorted(entries, key=lambda entry: entry.path))
    seen = {image.path: stamp for image, (stamp, settled) in zip(images, told, strict=True) if settled}
    return ImageIndex(root, tuple(entries), hashlib.sha256(lines.encode()).hexdigest(), seen)


def index_text(index: ImageIndex) -> str:
    """The index as a file's content; :func:`read_index` reads it. The first line is the root."""
    return "".join([json.dumps({"root": str(index.root)}) + "\n", *(f"{_line(entry)}\n" for entry in index.entries)])


def seen_text(index: ImageIndex) -> str:
    """What is known of the files, as the content of the file beside the index."""
    return json.dumps({"root": str(index.root), "seen": index.seen})


def read_index(path: str, most: int | None = None) -> Iterator[tuple[str, Entry]]:
    """Root and entry of each image.

    Args:
        most: at most so many of each class; None means all.
    """
    counts: dict[str, int] = {}
    with Path(path).open(encoding="utf-8") as file:
        root = json.loads(next(file))["root"]
        for line in file:
            entry = Entry(**json.loads(line))
            counts[entry.label] = counts.get(entry.label, 0) + 1
            if most is None or counts[entry.label] <= most:
                yield root, entry


def _line(entry: Entry) -> str:
    return json.dumps({"path": entry.path, "name": entry.name, "label": entry.label, "sha256": entry.sha256})


def _seen_before(root: Path, known: Path) -> Mapping[str, Sequence[int | str]]:
    """What the latest run that read below this root knew."""
    for path in sorted(known.glob(f"*/{SEEN_FILE}"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["root"] == str(root):
                found: Mapping[str, Sequence[int | str]] = content["seen"]
                return found
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}


def _digest(path: Path, known: Sequence[int | str] | None) -> tuple[list[int | str], bool]:
    """(Size, time written, time changed and digest; whether a later change will show in them.)"""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # Opening a pipe would wait for whoever writes into it.
            raise UsageError(f"{path}: has the name of an image and is no file; remove it")
        stamp: list[int | str] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _FRESH_NS
        if known is not None and list(known[:3]) == stamp:
            return [*stamp, known[3]], settled
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                digest.update(block)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return [*stamp, digest.hexdigest()], settled
