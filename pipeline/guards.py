"""What stands around a run: nobody beside it, and a full disk told as what it is."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from configs.errors import UsageError
from pipeline.errors import RunUnderWay
from pipeline.layout import Layout


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Hold the use case's lock; the kernel frees it when the process dies, however it dies."""
    try:
        layout.home.mkdir(parents=True, exist_ok=True)
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
