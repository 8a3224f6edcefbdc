"""Where data comes from: files, folders, globs and spans, here or in a bucket, found and checked before any work begins."""

from __future__ import annotations

import glob
import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.example_gen.bucket import ROW_SUFFIXES, Bucket, RemoteFile, is_uri
from components.example_gen.check_csv import check_beginning, check_csv
from components.example_gen.images import find_images
from components.example_gen.index import ImageIndex, indexed, remarks
from components.example_gen.reading import Reading
from components.example_gen.spans import has_spans, is_aside, local_spans
from configs.errors import UsageError
from configs.paths import expanded

_BLOCK = 1 << 20
Kind = Literal["csv", "parquet"]


@dataclass(frozen=True)
class Source:
    """Data files, sorted, with the digest of their places below the folder they share and of their content."""

    files: tuple[Path, ...]
    digest: str
    uris: tuple[str, ...] = ()
    """Files in a bucket; then ``files`` is empty."""
    images: ImageIndex | None = None
    """Images with their classes; then there are neither files nor URIs."""
    remarks: str = ""
    """What there is to say of images beside how many they are."""

    @property
    def places(self) -> tuple[str, ...]:
        """All of them, as a person writes them; of images the folder."""
        return (*map(str, self.files), *self.uris, *([str(self.images.root)] if self.images is not None else []))

    @property
    def what(self) -> str:
        """How much there is, in a few words."""
        if self.images is not None:
            classes = {entry.label for entry in self.images.entries}
            return f"{_counted(len(self.images.entries), 'image')} of {_counted(len(classes), 'class', 'es')}{self.remarks}"
        return _counted(len(self.places), "file")


# What stands for a file in a bucket where TFX wants a file: a small one with the URI in it.
URI_SUFFIX = ".uri"


def real_place(path: str) -> str:
    """What a file of a staged folder (``pipeline/staging.py``) stands for: the target of a link, or the URI that is its content."""
    place = Path(path)
    if place.name.endswith(URI_SUFFIX) and not place.is_symlink():
        return place.read_text(encoding="utf-8").strip()
    return str(place.resolve())


def kind_of(place: str) -> Kind:
    """What a file holds, by its name; a staged one has the name that the user gave it, whatever its content is called."""
    name = place if Path(place).is_symlink() else place.removesuffix(URI_SUFFIX)
    return "parquet" if name.partition("?")[0].lower().endswith(".parquet") else "csv"


def find_files(text: str, spans: int | None = 1) -> tuple[Path, tuple[Path, ...]]:
    """What a path, a folder or a glob stands for: (folder that holds them, the files sorted).

    Args:
        spans: how many of the newest, where the text has a number for them in it; None means all.

    Raises:
        UsageError: nothing is there.
    """
    try:
        if not has_spans(text):
            return _found(text, expanded(text))
        found = local_spans(text, spans)
        return found.base, tuple(path for place in found.places for path in _found(place, Path(place))[1])
    except OSError as error:
        raise UsageError(f"data {text!r}: cannot be read: {error.strerror}") from error


def find_data(text: str, reading: Reading) -> None:
    """Whether anything is there, without reading it. A bucket is not asked.

    Raises:
        UsageError: nothing is.
    """
    text = text.removeprefix("file://")
    if reading.reader == "images":
        find_images(text, reading)
    elif not is_uri(text):
        find_files(text, reading.spans)


def check_source(text: str, reading: Reading, known: Path | None = None) -> Source:
    """Find the data and hold it against what is to be read.

    CSV files are read once: UTF-8, at least one row, exactly the wanted columns. Of Parquet files the footer says it, of images
    their places and labels. Of a file in a bucket that is larger than 32 MiB only the beginning, or the footer, is read: its digest is
    then of its size and time.

    Args:
        known: a folder below which earlier runs staged their data; images that did not change since are not read again.

    Raises:
        UsageError: it does not fit; the message names file and column or line.
    """
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if reading.reader == "images":
        found = find_images(text, reading)
        index = indexed(found.root, found.images, known)
        return Source((), index.digest, images=index, remarks=remarks(index, reading.classes, found.others))
    if is_uri(text):
        return _check_bucket(Bucket.of(text), reading)
    base, files = find_files(text, reading.spans)
    _check_one_kind(text, map(str, files))
    # By place below the base: files of one name may lie in many folders. A span may be a link to elsewhere.
    return Source(files, _combined({Path(os.path.relpath(path, base)).as_posix(): _check_file(path, reading) for path in files}))


def _counted(count: int, noun: str, ending: str = "s") -> str:
    return f"{count:,} {noun}{ending if count != 1 else ''}"


def _found(text: str, path: Path) -> tuple[Path, tuple[Path, ...]]:
    if path.is_dir():
        base, patterns = path.resolve(), tuple(f"*{suffix}" for suffix in ROW_SUFFIXES)
    elif (first := _first_pattern(path)) is not None and not path.exists():
        base, patterns = Path(*path.parts[:first]).resolve(), (str(Path(*path.parts[first:])),)
    elif path.is_file():
        # Its own name, not that of what it may be a link to: the name says what it holds.
        base = path.absolute().parent.resolve()
        return base, (base / path.name,)
    elif path.exists():
        raise UsageError(f"data {text!r}: is neither a file nor a folder; write what comes out of it to a file first")
    else:
        raise UsageError(f"data {text!r}: there is no such file or folder")
    found = ((file, pattern) for pattern in patterns for file in base.glob(pattern))
    files = tuple(sorted(file for file, pattern in found if file.is_file() and not is_aside(file.name, pattern)))
    if not files:
        raise UsageError(f"data {text!r}: no file fits {' or '.join(map(repr, patterns))} below {base}")
    return base, files


def _first_pattern(path: Path) -> int | None:
    """Which of its parts is the first that is a pattern and not the name of something that is there."""
    parts = path.parts
    return next((n for n, part in enumerate(parts) if glob.has_magic(part) and not Path(*parts[: n + 1]).exists()), None)


def _check_one_kind(text: str, places: Iterable[str]) -> None:
    first: dict[Kind, str] = {}
    for place in places:
        first.setdefault(kind_of(place), place)
    if len(first) > 1:
        raise UsageError(f"data {text!r}: {first['csv']} is CSV and {first['parquet']} is Parquet; give one of them, as in .../*.parquet")


def _check_bucket(bucket: Bucket, reading: Reading) -> Source:
    _, names = bucket.files(reading.spans)
    _check_one_kind(str(bucket), map(bucket.uri, names.values()))
    digests = {name: _check_remote(bucket.read(path), reading) for name, path in names.items()}
    return Source((), _combined(digests), tuple(bucket.uri(path) for path in names.values()))


def _check_remote(file: RemoteFile, reading: Reading) -> str:
    if kind_of(file.uri) == "parquet":
        _check_footer(file, io.BytesIO(file.content) if file.whole else Bucket.of(file.uri).file(), reading)
        return hashlib.sha256(file.content).hexdigest() if file.whole else file.stamp
    if file.whole:
        return check_csv(file, reading)
    check_beginning(file, reading)
    return file.stamp


def _check_file(path: Path, reading: Reading) -> str:
    if kind_of(str(path)) == "csv":
        return check_csv(path, reading)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                digest.update(block)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    _check_footer(path, str(path), reading)
    return digest.hexdigest()


def _check_footer(place: Path | RemoteFile, file: Any, reading: Reading) -> None:
    # Loading Arrow takes a while that a CSV file does not need.
    from components.example_gen.parquet import check_parquet

    check_parquet(place, file, reading)


def _combined(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {value}\n" for name, value in sorted(digests.items())).encode()).hexdigest()
