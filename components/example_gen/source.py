"""Where rows come from: a file, a folder or a glob, here or in a bucket, found and checked before any work begins."""

from __future__ import annotations

import codecs
import csv
import glob
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from components.example_gen.bucket import Bucket, RemoteFile, is_uri
from configs.errors import UsageError
from configs.paths import expanded

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Source:
    """Data files, sorted, with the digest of their places below the folder they share and of their content."""

    files: tuple[Path, ...]
    digest: str
    uris: tuple[str, ...] = ()
    """Files in a bucket; then ``files`` is empty."""

    @property
    def places(self) -> tuple[str, ...]:
        """All of them, as a person writes them."""
        return (*map(str, self.files), *self.uris)


# What stands for a file in a bucket where TFX wants a file: a small one with the URI in it.
URI_SUFFIX = ".uri"


def real_place(path: str) -> str:
    """What a file of a staged folder (``pipeline/staging.py``) stands for: the target of a link, or the URI that is its content."""
    place = Path(path)
    if place.name.endswith(URI_SUFFIX) and not place.is_symlink():
        return place.read_text(encoding="utf-8").strip()
    return str(place.resolve())


def find_files(text: str) -> tuple[Path, tuple[Path, ...]]:
    """What a path, a folder or a glob stands for: (folder that holds them, the files sorted).

    Raises:
        UsageError: nothing is there.
    """
    path = expanded(text)
    try:
        return _found(text, path)
    except OSError as error:
        raise UsageError(f"data {text!r}: cannot be read: {error.strerror}") from error


def _found(text: str, path: Path) -> tuple[Path, tuple[Path, ...]]:
    if path.is_dir():
        base, pattern = path.resolve(), "*.csv"
    elif glob.has_magic(text) and not path.exists():
        first = next(index for index, part in enumerate(path.parts) if glob.has_magic(part))
        base, pattern = Path(*path.parts[:first]).resolve(), str(Path(*path.parts[first:]))
    elif path.exists():
        return path.resolve().parent, (path.resolve(),)
    else:
        raise UsageError(f"data {text!r}: there is no such file or folder")
    files = tuple(sorted(file for file in base.glob(pattern) if file.is_file()))
    if not files:
        raise UsageError(f"data {text!r}: no file fits {pattern!r} below {base}")
    return base, files


def check_source(text: str, columns: Sequence[str]) -> Source:
    """Find the files and read each once: readable, UTF-8, at least one row, exactly the columns of the schema.

    Of a file in a bucket that is larger than 32 MiB only the beginning is read: its digest is then of its size and time.

    Raises:
        UsageError: they are not; the message names file and column or line.
    """
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if is_uri(text):
        return _check_bucket(Bucket.of(text), columns)
    base, files = find_files(text)
    # By place below the base: files of one name may lie in many folders.
    return Source(files, _combined({path.relative_to(base).as_posix(): _check_file(path, columns) for path in files}))


def _check_bucket(bucket: Bucket, columns: Sequence[str]) -> Source:
    _, names = bucket.files()
    digests = {name: _check_remote(bucket.read(path), columns) for name, path in names.items()}
    return Source((), _combined(digests), tuple(bucket.uri(path) for path in names.values()))


def _check_remote(file: RemoteFile, columns: Sequence[str]) -> str:
    if file.whole:
        return _check_file(file, columns)
    with file.open(encoding="utf-8-sig", newline="") as text:
        _check_header(file, _first_row(file, text), columns)
    return file.stamp


def _first_row(file: RemoteFile, text: IO[str]) -> list[str]:
    try:
        return next(csv.reader(text), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: its first row is not CSV in UTF-8: {error}") from error


def _combined(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {value}\n" for name, value in sorted(digests.items())).encode()).hexdigest()


def _check_file(path: Path | RemoteFile, columns: Sequence[str]) -> str:
    try:
        digest = _check_text(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            _check_rows(path, csv.reader(file), columns)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return digest


def _check_text(path: Path | RemoteFile) -> str:
    """The digest of a file that is UTF-8 and not empty."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8-sig")()
    lines, blank = 0, True
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                digest.update(block)
                text = decoder.decode(block)
                blank = blank and not text.strip()
                lines += text.count("\n")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line = lines + error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}: line {line} is not UTF-8; convert the file first") from error
    if blank:
        raise UsageError(f"{path}: the file is empty")
    return digest.hexdigest()


def _check_rows(path: Path | RemoteFile, rows: Any, columns: Sequence[str]) -> None:
    """Exactly the columns of the schema, at least one row, and every row as long as the header."""
    try:
        header = next(rows)
        _check_header(path, header, columns)
        count = 0
        for row in rows:
            if row and len(row) != len(header):
                raise UsageError(f"{path}: line {rows.line_num} has {len(row)} values, the header has {len(header)} columns")
            count += bool(row)
    except csv.Error as error:
        raise UsageError(f"{path}: line {rows.line_num}: not CSV: {error}") from error
    if not count:
        raise UsageError(f"{path}: a header and no rows")


def _check_header(path: Path | RemoteFile, header: Sequence[str], columns: Sequence[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in columns if name not in header]
    extra = [name for name in header if name not in columns]
    if twice:
        raise UsageError(f"{path}: column {twice[0]!r} stands twice in the header")
    if missing or extra:
        parts = [f"missing {', '.join(map(repr, missing))}"] * bool(missing) + [f"unknown {', '.join(map(repr, extra))}"] * bool(extra)
        raise UsageError(f"{path}: the columns do not fit the schema: {'; '.join(parts)}")
