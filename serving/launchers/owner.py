"""Who a container or pod was made for, written on it as labels, so that what a killed process left is told from what is in use."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

LABEL = "sluiceway.launch"
_HOST, _PID, _STARTED = f"{LABEL}.host", f"{LABEL}.pid", f"{LABEL}.started"


@dataclass(frozen=True)
class Owner:
    """A process, told from a later one with the same number by when it started."""

    host: str
    pid: int
    started: int

    @classmethod
    def this_process(cls) -> Owner:
        """The one that asks."""
        return cls(_here(), os.getpid(), _started(os.getpid()) or int(time.time()))

    def labels(self) -> dict[str, str]:
        """As Docker and Kubernetes take them."""
        return {LABEL: "1", _HOST: self.host, _PID: str(self.pid), _STARTED: str(self.started)}


def gone(labels: Mapping[str, str]) -> bool | None:
    """Has the process these labels name ended? None when it cannot be told: it lives on another machine, or in another container."""
    try:
        owner = Owner(labels[_HOST], int(labels[_PID]), int(labels[_STARTED]))
    except (KeyError, ValueError):
        return None
    if owner.host != _here():
        return None
    started = _started(owner.pid)
    return started is None or abs(started - owner.started) > 1


def _here() -> str:
    # What a label's value may be made of, in Kubernetes.
    return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:60].strip("-.") or "unknown"


def _started(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else round(process.create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return None
