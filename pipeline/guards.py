"""What stands around a run: nobody beside it, and a full disk told as what it is."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from configs.errors import UsageError
from pipeline.errors import RunUnderWay
from pipeline.layout import Layout


def make_home(layout: Layout) -> None:
    """Make the use case's folder.

    Raises:
        UsageError: it cannot be made or written.
    """
    try:
        layout.home.mkdir(parents=True, exist_ok=True)
        layout.runs.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{layout.home}: cannot be made: {error.strerror}; give a folder that can be written (--set state=...)") from error


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Hold the use case's lock; the kernel frees it when the process dies, however it dies."""
    try:
        make_home(layout)
        lock = FileLock(layout.lock, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise RunUnderWay(
            f"another run of {layout.use_case} is under way in {layout.state}; wait for it, or use another state folder (--set state=...)"
        ) from error
    except OSError as error:
        raise UsageError(f"{layout.home}: cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def disk_errors(state: Path) -> Iterator[None]:
    """A full disk shows itself in many libraries' errors; it is told as what it is."""
    try:
        yield
    except Exception as error:
        link: BaseException | None = error
        while link is not None:
            text = str(link)
            if getattr(link, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or "No space left" in text or "disk is full" in text:
                free = shutil.disk_usage(state).free // 2**20
                raise UsageError(f"no space left on the disk of {state} ({free} MiB free); free some and run again") from error
            link = link.__cause__ or link.__context__
        raise


@contextlib.contextmanager
def own_temporary_folder(run: Path) -> Iterator[None]:
    """A run's temporary folder, inside its own.

    The caller holds the use case's lock, so what lies in other runs' folders was left by runs that were killed.
    """
    for left in run.parent.glob("*/tmp"):
        shutil.rmtree(left, ignore_errors=True)
    with temporary_folder(run / "tmp"):
        yield


@contextlib.contextmanager
def temporary_folder(folder: Path) -> Iterator[None]:
    """Give everything that makes temporary files, child processes too, this folder, and remove it at the end.

    Beam and TensorFlow leave theirs to the end of the process, which is cut short.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir, os.environ["TMPDIR"] = str(folder), str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        if before[1] is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before[1]
        shutil.rmtree(folder, ignore_errors=True)
