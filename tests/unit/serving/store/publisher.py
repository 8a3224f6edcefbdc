"""Publishes from a process of its own: to be killed at a chosen moment, or to race another one. Run with -m; not a test itself."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.store.local import LocalStore
from serving.store.manifest import Identity

# Everything that changes a disk. os.fsync and os.write raise no audit events.
WRITES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime", "os.truncate"}


def publish(root: Path, source: Path, run_id: str) -> None:
    LocalStore(root).publish("taxi", source, Identity(run_id, "taxi"))


def kill_at_every_step(root: Path, source: Path) -> None:
    """Below root/<n>, a store with one version, in which a second publish was killed right before its n-th step on the disk.

    Prints the steps' names as a list; in the last store the publish completed.
    """
    names: list[str] = []
    completed = False
    while not completed:
        home = root / str(len(names) + 1)
        publish(home, source, "first")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            _die_at(len(names) + 1, home, writer)
            publish(home, source, "second")
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reader) as told:
            names.append(told.read() or "completed")
        completed = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        if not completed and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            raise SystemExit(f"the publisher ended with status {status} and not by the kill before step {len(names)}")
    print(json.dumps(names))


def _die_at(step: int, home: Path, told: int) -> None:
    write, left = os.write, step

    def on_step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            write(told, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if event in WRITES and str(home) in str(arguments[0]):
            on_step(event)

    def patched(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any) -> Any:
            on_step(name)
            return real(*arguments)

        return call

    os.fsync, os.write = patched("fsync"), patched("write")
    sys.addaudithook(audited)


def publish_often(root: Path, source: Path, times: int) -> None:
    """Publish again and again, as soon as the other side has begun too."""
    (root / str(os.getpid())).touch()
    while len(list(root.glob("*"))) < 2:
        pass
    for turn in range(times):
        publish(root / "store", source, f"{os.getpid()}-{turn}")


if __name__ == "__main__":
    what, folder, model, *rest = sys.argv[1:]
    if what == "kill":
        kill_at_every_step(Path(folder), Path(model))
    else:
        publish_often(Path(folder), Path(model), int(rest[0]))
