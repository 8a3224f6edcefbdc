"""Which images there are and of which class: from a folder for each class, or from a CSV that names both."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.example_gen.bucket import is_uri
from components.example_gen.check_csv import check_csv
from components.example_gen.reading import IMAGE_ID, LABEL, Reading
from components.example_gen.spans import has_spans, local_spans
from configs.errors import UsageError
from configs.paths import expanded

SUFFIXES = (".jpg", ".jpeg", ".png")
_PATTERNS = ", ".join(f"*{suffix}" for suffix in SUFFIXES)


@dataclass(frozen=True)
class Labelled:
    """An image: its path below the root of all, that below its own source (a span is one of several), and its class."""

    path: str
    name: str
    label: str


def find_images(text: str, reading: Reading) -> tuple[Path, list[Labelled]]:
    """What a folder tree or a label CSV names: (the root of all, the images).

    Raises:
        UsageError: nothing is there, a class or a file is named that there is not; the message says which.
    """
    if is_uri(text):
        raise UsageError(f"data {text!r}: images are read from folders, not from a bucket; mount it, or copy them first")
    try:
        if not has_spans(text):
            root, images = _found(text, expanded(text), reading)
            return root, _below(root, root, images)
        spans = local_spans(text, reading.spans)
        found = []
        for place in spans.places:
            root, images = _found(place, Path(place), reading)
            found += _below(spans.base, root, images)
        return spans.base, found
    except OSError as error:
        raise UsageError(f"data {text!r}: {error.filename or ''} cannot be read: {error.strerror}") from error


def _below(base: Path, root: Path, images: dict[str, str]) -> list[Labelled]:
    prefix = "" if root == base else Path(os.path.relpath(root, base)).as_posix() + "/"
    return [Labelled(prefix + name, name, label) for name, label in images.items()]


def _found(text: str, path: Path, reading: Reading) -> tuple[Path, dict[str, str]]:
    """(The folder that holds them, path below it to class.)"""
    if path.is_dir():
        root = path.resolve()
        return root, dict(_tree(text, root, reading))
    if path.is_file() and path.suffix.lower() == ".csv":
        root = (path.absolute().parent / (reading.images or "")).resolve()
        return root, dict(_labelled(path, root, reading))
    if path.exists():
        raise UsageError(f"data {text!r}: neither a folder of images nor a CSV of image and label")
    raise UsageError(f"data {text!r}: there is no such file or folder")


def _tree(text: str, root: Path, reading: Reading) -> Iterator[tuple[str, str]]:
    """A folder for each class, with images at any depth; hidden folders and files are none."""
    count = 0
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
        for path in _images_in(entry):
            count += 1
            yield _name(path, root), label
    if not count:
        raise UsageError(f"data {text!r}: no image ({_PATTERNS}) in a class's folder ({'/, '.join(reading.classes)}/) below {root}")


def _images_in(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            if file.lower().endswith(SUFFIXES) and not file.startswith("."):
                yield Path(place) / file


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
    with path.open(encoding="utf-8-sig", newline="") as file:
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
