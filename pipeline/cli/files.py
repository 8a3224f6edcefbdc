"""Files that commands write for people: whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from configs.errors import UsageError


def write_whole(path: Path, text: str) -> bool:
    """Write a file in one step, so that nobody sees half of it. Returns whether its content changed.

    Raises:
        UsageError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise UsageError(f"{path}: cannot be written: {error.strerror}; give another file (-o FILE)") from error
    return True
