"""Beam's own worker pool as a process of its own: another working directory, another temporary folder, nothing of the driver's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def worker_pool(folder: Path, **changes: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """(address, process group's leader). Its workers are children in the same group; ``changes``: to its environment."""
    work, temporary = folder / "elsewhere", folder / "tmp"
    work.mkdir(parents=True)
    temporary.mkdir()
    environment: Mapping[str, str] = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",  # the pool starts its workers as ``python``
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        **changes,
    }
    port = free_port()
    command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    with (folder / "pool.log").open("wb") as log:
        pool = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
                break
            if pool.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "pool.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.1)
        yield f"localhost:{port}", pool
    finally:
        kill(pool)


def kill(pool: subprocess.Popen[bytes]) -> None:
    """``kill -9`` of the pool and of the workers it started, as when their machine goes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pool.pid, signal.SIGKILL)
    pool.wait()
