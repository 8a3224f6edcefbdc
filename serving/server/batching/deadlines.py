"""When a request has waited too long, and how long a batch of them may run."""

from __future__ import annotations

from collections.abc import Sequence

from serving.protocol.status import Code, StatusError
from serving.server.batching.request import Piece

# TF Serving has no "for ever": a request without a timeout gets as many microseconds as a C int holds.
_STRICT_FOREVER = (2**31 - 1) / 1e6


def deadline_of(enqueued: float, timeout_seconds: float | None, *, strict: bool) -> float | None:
    """When a request that arrives at ``enqueued`` is too late; None is never.

    Strict counts whole milliseconds, of which 0 and less mean no timeout, as RunOptions does.
    """
    if not strict:
        return None if timeout_seconds is None else enqueued + timeout_seconds
    milliseconds = 0 if timeout_seconds is None else int(timeout_seconds * 1000)
    return enqueued + (milliseconds / 1000 if milliseconds > 0 else _STRICT_FOREVER)


def expired(piece: Piece, now: float) -> bool:
    """Has the caller's time run out?"""
    deadline = piece.request.deadline
    return deadline is not None and deadline <= now


def remaining(pieces: Sequence[Piece], now: float, *, strict: bool) -> float | None:
    """Seconds until the latest deadline of a batch; None when one of its requests may take for ever."""
    latest = now
    for piece in pieces:
        deadline = piece.request.deadline
        if deadline is None:
            return None
        latest = max(latest, deadline)
    if not strict:
        return latest - now
    return int((latest - now) * 1000) / 1000 or None


def waited_too_long() -> StatusError:
    """The answer to a request whose time ran out before it was run."""
    return StatusError(Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue")
