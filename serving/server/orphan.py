"""Ends this process when the process it works for is gone, also when that one had no chance to say so (kill -9)."""

from __future__ import annotations

import os
import select
import shutil
import tempfile
import threading
from pathlib import Path

# A directory is deleted only if it holds this file: whoever made the directory put it there for that purpose.
MARKER = ".sluiceway-launch"
_PROBE_SECONDS = 0.5


def watch(pid: int, remove: Path | None) -> None:
    """From now on, when `pid` is gone, remove the directory `remove` and end this process at once."""
    threading.Thread(target=_wait_and_leave, args=(pid, remove), name="orphan", daemon=True).start()


def removable(path: Path) -> bool:
    """Is this a launch directory: marked as one, and under the temporary directory?"""
    root = Path(tempfile.gettempdir()).resolve()
    return root in path.resolve().parents and (path / MARKER).is_file() and not path.is_symlink()


def remove_directory(path: Path) -> None:
    """Delete a launch directory. Links in it are removed, not followed. Anything else is left alone."""
    if removable(path):
        shutil.rmtree(path, ignore_errors=True)


def _wait_and_leave(pid: int, remove: Path | None) -> None:
    wait_until_gone(pid)
    if remove is not None:
        remove_directory(remove)
    os._exit(0)  # nobody is left to answer to; an orderly end could hang in what the parent held


def wait_until_gone(pid: int) -> None:
    """Block until process `pid` has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (OSError, AttributeError):  # an old kernel, a sandbox, or not Linux
        _probe(pid)
        return
    try:
        select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def _probe(pid: int) -> None:
    pause = threading.Event()
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass  # it lives, under another user
        if os.getppid() == 1 and pid != 1:
            return
        pause.wait(_PROBE_SECONDS)
