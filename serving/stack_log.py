"""What the processes of a stack say: out of sight, but for what somebody should know while they run and the last words of one that ends."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from typing import IO

_TAIL_LINES = 8
_TAIL_BYTES = 16 * 1024
_READ_BYTES = 64 * 1024
_MOST_BYTES = 16 * 1024 * 1024
# Of the model server with its time before it, of the gateway without. What is loaded is what is live.
_NEWS = re.compile(r"(?:\d{4}-\d\d-\d\d \S+ )?(?:(?:WARNING|ERROR) |INFO (?=loaded |unloaded ))(?P<text>.*)")


class ChildLog:
    """The output of one process, in a file without a name: nothing is left of it, however this ends."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the child
        # The child shares it: each of its lines goes to the end, wherever that is by then.
        fcntl.fcntl(self.file, fcntl.F_SETFL, fcntl.fcntl(self.file, fcntl.F_GETFL) | os.O_APPEND)
        self._read, self._kept = 0, b""

    def news(self) -> list[str]:
        """Whole lines since the last call that somebody should know of, without their time and level.

        What was read goes when there is much of it: a line for each request would fill the disk.
        """
        found: list[str] = []
        while lines := self._next():
            found += lines
        if self._read > _MOST_BYTES:
            self._kept = os.pread(self.file.fileno(), _TAIL_BYTES, max(0, self._read - _TAIL_BYTES))
            os.ftruncate(self.file.fileno(), 0)
            self._read = 0
        matched = (_NEWS.fullmatch(line) for line in found)
        return [line["text"] for line in matched if line is not None]

    def _next(self) -> list[str]:
        content = os.pread(self.file.fileno(), _READ_BYTES, self._read)
        whole = content[: content.rfind(b"\n") + 1]
        if not whole and len(content) == _READ_BYTES:
            whole = content  # a line without an end
        self._read += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def tail(self) -> str:
        """Its last lines, as one."""
        size = os.fstat(self.file.fileno()).st_size
        text = (self._kept + os.pread(self.file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))).decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-_TAIL_LINES:])[-600:] or "it said nothing"

    def close(self) -> None:
        """Let go of it."""
        self.file.close()
