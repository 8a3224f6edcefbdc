"""TFRecord files that grow at their end, one after the other: ``<prefix>.<host>.<pid>.<n>.tfrecord``."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from serving.server import tfrecord


class RecordFiles:
    """Appends records to a file of its own, and begins another when that is full. Not for use by several threads at once.

    Files are readable by their owner only: requests are other people's data. A record is whole or not there, also on a full disk; only a
    killed process can leave one cut off at the end of a file.
    """

    def __init__(self, prefix: str, file_bytes: int) -> None:
        self.prefix = prefix
        self._file_bytes = file_bytes
        self._file: int | None = None
        self._size = 0
        self._number = 0

    def append(self, records: Sequence[bytes]) -> int:
        """Write records through to the operating system and return how many were written.

        Raises OSError when the first that is left cannot be written; what was written before stays. A caller that tries the rest again
        loses nothing.
        """
        done = 0
        while done < len(records):
            count, chunk = self._next_chunk(records[done:])
            try:
                self._write(chunk)
            except OSError:
                if done:
                    return done
                raise
            done += count
        return done

    def _next_chunk(self, records: Sequence[bytes]) -> tuple[int, bytes]:
        """As many frames as fit into the current file, at least one."""
        frames = [tfrecord.frame(records[0])]
        if self._size and self._size + len(frames[0]) > self._file_bytes:
            self.close()
        size = self._size + len(frames[0])
        for record in records[1:]:
            frame = tfrecord.frame(record)
            if size + len(frame) > self._file_bytes:
                break
            frames.append(frame)
            size += len(frame)
        return len(frames), b"".join(frames)

    def _write(self, chunk: bytes) -> None:
        if self._file is None:
            self._file = self._open()
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._take_back()
            raise
        self._size += len(chunk)

    def _take_back(self) -> None:
        """Half a record would hide all that comes after it: cut it off, or leave the file."""
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
        except OSError:
            self.close()

    def _open(self) -> int:
        Path(self.prefix).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        host = socket.gethostname().replace("/", "_") or "localhost"
        while True:
            path = f"{self.prefix}.{host}.{os.getpid()}.{self._number}.tfrecord"
            self._number += 1
            try:
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue  # an earlier process of this number, before a restart in a container

    def close(self) -> None:
        """Close the file; the next record begins another."""
        file, self._file, self._size = self._file, None, 0
        if file is not None:
            os.close(file)
