"""Keeps what libraries print away from the person and in the run's log."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True)
class Screen:
    """What the person sees: the process's own stdout and stderr, also while libraries write to the log."""

    out: TextIO
    err: TextIO


@contextlib.contextmanager
def kept_in(log: Path, *, verbose: bool) -> Iterator[Screen]:
    """Send everything written to stdout and stderr, by Python and by C++ alike, to a log file, and give the real ones back as a Screen.

    With ``verbose`` the noise goes to stderr instead, where a person asked for it; the log then holds only errors.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(1), os.dup(2)]
    with log.open("a", encoding="utf-8", buffering=1) as file:
        target = 2 if verbose else file.fileno()
        # File descriptors and not sys.stderr: TensorFlow's C++ writes to number 2 itself.
        os.dup2(target, 1)
        os.dup2(target, 2)
        root, level, handlers = logging.getLogger(), logging.getLogger().level, [*logging.getLogger().handlers]
        _log_to(file if verbose else sys.stderr, verbose=verbose)
        out = os.fdopen(kept[0], "w", encoding="utf-8", buffering=1, closefd=False)
        err = os.fdopen(kept[1], "w", encoding="utf-8", buffering=1, closefd=False)
        try:
            yield Screen(out, err)
        except BaseException:
            traceback.print_exc(file=file)
            raise
        finally:
            for stream in (out, err, sys.stdout, sys.stderr):
                with contextlib.suppress(BrokenPipeError):
                    stream.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            # What comes after is not noise's to show: without this every later request of an HTTP client would be told.
            root.setLevel(level)
            for handler in [*root.handlers]:
                if handler not in handlers:
                    root.removeHandler(handler)


def _log_to(stream: TextIO, *, verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr if verbose else stream, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # One line for each bundle and each retry of a metadata query says nothing about a run.
    for name in ("apache_beam", "absl"):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
