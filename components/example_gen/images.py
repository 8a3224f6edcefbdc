"""Which images there are and of which class: from a folder for each class, or from a CSV that names both."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.example_gen.bucket import is_uri
from components.example_gen.check_csv import check_csv, long_texts
from components.example_gen.reading import IMAGE_ID, LABEL, Reading
from components.example_gen.spans import has_spans, local_spans
from configs.errors import ConfigError, UsageError
from configs.paths import expanded

SUFFIXES = (".jpg", ".jpeg", ".png")
_PATTERNS = ", ".join(f"*{suffix}" for suffix in SUFFIXES)


@dataclass(frozen=True)
class Labelled:
    """An image: its path below the root of all, that below its own source (a span is one of several), and its class."""

    path: str
    name: str
    label: str


@dataclass(frozen=True)
class Found:
    """All images below a root; ``others``: the files of the classes' folders that are none, by their paths below it."""

    root: Path
    images: tuple[Labelled, ...]
    others: tuple[str, ...] = ()


def find_images(text: str, reading: Reading) -> Found:
    """What a folder tree or a label CSV names.

    Raises:
        UsageError: nothing is there, a class or a file is named that there is not; the message says which.
    """
    if is_uri(text):
        raise UsageError(f"data {text!r}: images are read from folders, not from a bucket; mount it, or copy them first")
    try:
        if not has_spans(text):
            return _found(text, expanded(text), reading)
        spans = local_spans(text, reading.spans)
        parts = [_below(spans.base, _found(place, Path(place), reading)) for place in spans.places]
        images, others = (itertools.chain.from_iterable(each) for each in zip(*((part.images, part.others) for part in parts), strict=True))
        return Found(spans.base, tuple(images), tuple(others))
    except OSError as error:
        raise UsageError(f"data {text!r}: {error.filename or ''} cannot be read: {error.strerror}") from error


def _below(base: Path, found: Found) -> Found:
    prefix = "" if found.root == base else Path(os.path.relpath(found.root, base)).as_posix() + "/"
    images = tuple(Labelled(prefix + image.name, image.name, image.label) for image in found.images)
    return Found(base, images, tuple(prefix + name for name in found.others))


def _found(text: str, path: Path, reading: Reading) -> Found:
    if path.is_dir():
        _check_for_tree(text, reading)
        return _tree(text, path.resolve(), reading)
    if path.is_file() and path.suffix.lower() == ".csv":
        root = (path.absolute().parent / (reading.images or "")).resolve()
        return Found(root, tuple(Labelled(name, name, label) for name, label in _labelled(path, root, reading)))
    if path.exists():
        raise UsageError(f"data {text!r}: neither a folder of images nor a CSV of image and label")
    raise UsageError(f"data {text!r}: there is no such file or folder")


def _check_for_tree(text: str, reading: Reading) -> None:
    for key, given, none in (("images", reading.images, "null"), ("columns", dict(reading.names), "{}")):
        if given:
            raise ConfigError(
                f"data.{key}: {given!r} is for a label CSV, and {text!r} is a folder with one for each class; leave it out"
                f" (--set 'data.{key}={none}')"
            )


def _tree(text: str, root: Path, reading: Reading) -> Found:
    """A folder for each class, with images at any depth; hidden folders and files are none."""
    images: list[Labelled] = []
    others: list[str] = []
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if entry.name.lower().endswith(SUFFIXES):
                raise UsageError(f"{entry}: lies in no class's folder; expected {root}/<class>/{entry.name}")
            continue
        label = reading.class_of(entry.name)
        if label is None:
            raise UsageError(f"{entry}: {_no_class(entry.name, reading)}")
        for path in _files_in(entry):
            if path.name.lower().endswith(SUFFIXES):
                name = _name(path, root)
                images.append(Labelled(name, name, label))
            else:
                others.append(path.relative_to(root).as_posix())
    if not images:
        raise UsageError(f"data {text!r}: no image ({_PATTERNS}) in a class's folder ({'/, '.join(reading.classes)}/) below {root}")
    return Found(root, tuple(images), tuple(others))


def _files_in(folder: Path) -> Iterator[Path]:
    """Those that are not hidden. Folders that are links are followed; each folder once, for a link may lead back to where it lies."""
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders[:] = []
            continue
        seen.add((status.st_dev, status.st_ino))
        # Links last: beside a folder itself, a link to it is the one that is left out.
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=lambda name: (Path(place, name).is_symlink(), name))
        for file in sorted(files):
            if not file.startswith("."):
                yield Path(place, file)


def _raise(error: OSError) -> None:
    raise error


def _name(path: Path, root: Path) -> str:
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{root}: the name {os.fsencode(name)!r} is not UTF-8; rename the file") from error
    return name


def _labelled(path: Path, root: Path, reading: Reading) -> Iterator[tuple[str, str]]:
    """The images that a label CSV names, in its order."""
    check_csv(path, reading)
    if not root.is_dir():
        raise UsageError(f"{path}: data.images: there is no folder {root}")
    seen: dict[str, int] = {}
    missing: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file, long_texts():
        rows = csv.DictReader(file)
        for row in rows:
            place, written = f"{path}: line {rows.line_num}", row[reading.wanted[IMAGE_ID]]
            label = reading.class_of(row[reading.wanted[LABEL]].strip())
            if label is None:
                raise UsageError(f"{place}: {_no_class(row[reading.wanted[LABEL]].strip(), reading)}")
            name = PurePosixPath(written).as_posix()
            if not written or name.startswith("/") or ".." in PurePosixPath(name).parts or "\0" in name:
                raise UsageError(f"{place}: {written!r} is no image below {root}")
            if name in seen:
                raise UsageError(f"{place}: {name!r} stands there twice, first in line {seen[name]}")
            seen[name] = rows.line_num
            if not (root / name).is_file():
                missing.append(name)
            yield name, label
    if missing:
        more = f" and {len(missing) - 1:,} more of {len(seen):,}" if len(missing) > 1 else ""
        raise UsageError(f"{path}: line {seen[missing[0]]}: there is no {missing[0]!r}{more} below {root}; data.images says where they are")


def _no_class(written: str, reading: Reading) -> str:
    return f"{written!r} is none of the classes: {', '.join(reading.classes)} (data.classes gives a class its name in the data)"
