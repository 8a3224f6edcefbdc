"""Removes what an engine runs for a process, once that process is gone: containers and pods do not end with whoever asked for them.

    python -m serving.launchers.reaper PARENT_PID TARGET_JSON NAME

Its parent ends it after an orderly stop. With the parent gone it removes NAME, and goes on looking for a while: the engine may still be
making what it was asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from configs.errors import SluicewayError
from serving.launchers.child import engine_environment
from serving.launchers.target import Target, dump, parse

_REMOVERS = {
    "docker": "serving.launchers.docker:remove",
    "kubernetes": "serving.launchers.kubernetes:remove",
}
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 20.0


class _Remover(Protocol):
    def __call__(self, target: Target, name: str) -> bool:
        """Remove it; False when there is no such thing (yet)."""


def start(target: Target, name: str) -> subprocess.Popen[bytes]:
    """Watch over `name` from now on. Start it before `name` is made; end it after `name` is removed. Raises OSError."""
    return subprocess.Popen(
        [sys.executable, "-m", "serving.launchers.reaper", str(os.getpid()), dump([target]), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=engine_environment(),
        cwd="/",
        start_new_session=True,  # a signal to the parent's group is not for this one
    )


def main(arguments: list[str], *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> int:
    """Wait for the parent's end, then remove; 0 when it was there to be removed."""
    parent, (target,), name = int(arguments[0]), parse(arguments[1]), arguments[2]
    while os.getppid() == parent:
        sleep(_POLL_SECONDS)
    module, _, attribute = _REMOVERS[target.kind].partition(":")
    remove = cast("_Remover", getattr(import_module(module), attribute))
    until = clock() + _LOOK_SECONDS
    while clock() < until:
        try:
            if remove(target, name):
                return 0
        except SluicewayError:
            pass  # the engine may come back
        sleep(_POLL_SECONDS * 5)
    return 1
