"""Beam's workers in other processes: reachable before a run, and an error of theirs told in one line."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

from configs.errors import UsageError

_SECONDS = 5.0
# Beam's words where the driver was reading a worker's rows when it went.
GONE = "Channel closed prematurely"


def check_reachable(endpoints: Mapping[str, str], seconds: float = _SECONDS) -> None:
    """Connect to each ``host:port``; Beam itself would wait for minutes, or for ever, for one that is not there.

    Raises:
        UsageError: nobody answers in time.
    """
    for address, what in endpoints.items():
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise UsageError(f"no {what} at {address}: {reason}; start it, or choose other beam.args") from error


def worker_line(text: str) -> str | None:
    """The error that a worker met, out of the tracebacks that Beam brings over; None where there is none.

    A traceback crosses processes as text, the innermost error last but for what the driver's side adds.
    """
    if "Traceback (most recent call last)" not in text:
        return None
    raised = re.findall(r"^(?:[\w.]+\.)?([A-Z]\w+): (.+)$", text, re.MULTILINE)
    told = [(name, line) for name, line in raised if not line.startswith("Error received from SDK harness")]
    if not told:
        return None
    name, line = told[-1]
    if GONE in line:
        return "a Beam worker is gone, often for want of memory; its log says more"
    return re.sub(r" \[while running '[^']*'\]", "", line if name in {"UsageError", "SluicewayError"} else f"{name}: {line}")
