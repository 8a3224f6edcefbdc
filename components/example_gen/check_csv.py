"""Whether a CSV file can be read: UTF-8, the wanted columns, at least one row, and every row as long as the header."""

from __future__ import annotations

import codecs
import contextlib
import csv
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from components.example_gen.bucket import RemoteFile
from components.example_gen.header import check_header
from components.example_gen.reading import Reading
from configs.errors import UsageError

_BLOCK = 1 << 20
# In characters. Arrow reads rows that fit into a block, which is as large as this asks for (convert.py); an open quote ends here.
LONGEST_TEXT = 4 * 2**20
_limits: list[int] = []
_limits_lock = threading.Lock()


@contextlib.contextmanager
def long_texts() -> Iterator[None]:
    """Python's csv reads values up to LONGEST_TEXT in here. Its limit is the whole process's: the last to leave sets it back."""
    with _limits_lock:
        _limits.append(csv.field_size_limit(max(LONGEST_TEXT, csv.field_size_limit())))
    try:
        yield
    finally:
        with _limits_lock:
            # The first of the list is what was there before any of us came, whoever leaves first.
            before = _limits.pop()
            if not _limits:
                csv.field_size_limit(before)


def check_csv(path: Path | RemoteFile, reading: Reading) -> str:
    """Read it once. Returns the digest of its content.

    Raises:
        UsageError: it cannot be read; the message names file and column or line.
    """
    try:
        digest = _check_text(path)
        with path.open(encoding="utf-8-sig", newline="") as file, long_texts():
            # Strict: else a quote that is never closed makes one value of all that follows.
            _check_rows(path, csv.reader(file, strict=True), reading)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    return digest


def check_beginning(file: RemoteFile, reading: Reading) -> None:
    """Only the header, of a file whose beginning alone is here."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        check_header(file, _first_row(file, text), reading)


def _first_row(file: RemoteFile, text: IO[str]) -> list[str]:
    try:
        return next(csv.reader(text), [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: its first row is not CSV in UTF-8: {error}") from error


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


def _check_rows(path: Path | RemoteFile, rows: Any, reading: Reading) -> None:
    """Exactly the wanted columns, at least one row, and every row as long as the header."""
    count = last = 0
    try:
        header = next(rows)
        check_header(path, header, reading)
        last = rows.line_num
        for row in rows:
            if row and len(row) != len(header):
                raise UsageError(f"{path}: line {rows.line_num} has {len(row)} values, the header has {len(header)} columns")
            count += bool(row)
            last = rows.line_num
    except csv.Error as error:
        raise UsageError(f"{path}: line {rows.line_num}: not CSV: {_why(error)}{_begun(last + 1, rows.line_num)}") from error
    if not count:
        raise UsageError(f"{path}: a header and no rows")


def _why(error: csv.Error) -> str:
    """What Python's csv says, where that is not what a person would look for."""
    told = {
        "unexpected end of data": "a quote is opened and never closed",
        f"field larger than field limit ({LONGEST_TEXT})": f"a value of more than {LONGEST_TEXT:,} characters; is a quote never closed?",
        """',' expected after '"'""": "text after a closing quote; a quote inside a quoted value is written twice",
    }
    return told.get(str(error), str(error))


def _begun(first: int, line: int) -> str:
    return f" (in the row that begins in line {first})" if first < line else ""
