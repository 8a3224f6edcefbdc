"""Keeps C++ code from writing to stderr for a moment: TensorFlow 2.21 greets before its log levels are in force."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def stderr() -> Iterator[None]:
    """Whatever is written to file descriptor 2 inside the block is lost. Only for the start, when no other thread writes."""
    kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
