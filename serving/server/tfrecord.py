"""TFRecord files without TensorFlow.

A record is ``length (8 bytes) | checksum of length (4) | data | checksum of data (4)``, little endian; a checksum is a masked CRC-32C
(tensorflow/core/lib/io/record_writer.h). Compressed files are not read: TF Serving does not write or read them either.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from serving.protocol.status import Code, StatusError

_HEADER, _FOOTER = struct.Struct("<QI"), struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
_MASK_DELTA = 0xA282EAD8
_ADVICE = "Please verify your warmup data is in TFRecord format."


def _checksum(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    # A plain CRC over data that holds CRCs is weak, so the format rotates and shifts it.
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(record: bytes) -> bytes:
    """A record as it lies in a file: 16 bytes longer than ``record``."""
    length = _LENGTH.pack(len(record))
    return b"".join((length, _FOOTER.pack(_checksum(length)), record, _FOOTER.pack(_checksum(record))))


def write(path: Path, records: Iterable[bytes]) -> int:
    """Write ``records`` to a new file, or over an old one, and return how many there were. Raises OSError."""
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(frame(record))
            count += 1
    return count


def read(path: Path, *, strict: bool = False) -> Iterator[bytes]:
    """The records of a file, one at a time.

    Raises StatusError: DATA_LOSS with TensorFlow's text for a file that is damaged, cut off or something else; NOT_FOUND,
    PERMISSION_DENIED or UNAVAILABLE when it cannot be read. ``strict`` ends quietly, as TensorFlow does, where a file was cut off in the
    twelve bytes before a record's data.
    """
    try:
        with path.open("rb") as file:
            yield from _records(file, "" if strict else f"{path}: ", strict)
    except OSError as error:
        raise StatusError(_code_of(error), f"{path}; {error.strerror or error}") from error


def _records(file: BinaryIO, prefix: str, strict: bool) -> Iterator[bytes]:
    size = os.fstat(file.fileno()).st_size
    offset = 0
    while header := file.read(_HEADER.size):
        if len(header) < _HEADER.size:
            if strict:
                return
            raise _data_loss(f"{prefix}truncated record at {offset}")
        length, length_checksum = _HEADER.unpack(header)
        if _checksum(header[: _LENGTH.size]) != length_checksum:
            raise _data_loss(f"{prefix}corrupted record at {offset}{' (Is this even a TFRecord file?)' if offset == 0 else ''}")
        start = offset + _HEADER.size
        # Before the read: a length with a good checksum may still ask for more memory than there is.
        if start + length + _FOOTER.size > size:
            raise _data_loss(f"{prefix}truncated record at {offset}' failed with Read less bytes than requested")
        data, footer = file.read(length), file.read(_FOOTER.size)
        if len(footer) < _FOOTER.size:
            raise _data_loss(f"{prefix}truncated record at {offset}' failed with Read less bytes than requested")
        if _checksum(data) != _FOOTER.unpack(footer)[0]:
            raise _data_loss(f"{prefix}corrupted record at {start}")
        yield data
        offset = start + length + _FOOTER.size


def _data_loss(message: str) -> StatusError:
    return StatusError(Code.DATA_LOSS, f"{message}. {_ADVICE}")


def _code_of(error: OSError) -> Code:
    if isinstance(error, FileNotFoundError):
        return Code.NOT_FOUND
    return Code.PERMISSION_DENIED if isinstance(error, PermissionError) else Code.UNAVAILABLE
