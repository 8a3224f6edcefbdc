"""One caller's request on its way through a queue, whole or in pieces."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from serving.protocol.status import Code, StatusError
from serving.server.servable import Array


class Request:
    """What one caller asked for, and its answer once there is one.

    ``order`` says which of a batch's outputs the caller wants, in his order. Times are seconds of the monotonic clock.
    """

    __slots__ = (
        "_done",
        "_guard",
        "_missing",
        "_shares",
        "deadline",
        "enqueued",
        "error",
        "feeds",
        "finished",
        "order",
        "outputs",
        "pieces",
        "rows",
    )

    def __init__(self, feeds: Mapping[str, Array], rows: int, order: Sequence[int], enqueued: float, deadline: float | None) -> None:
        self.feeds, self.rows, self.order = feeds, rows, order
        self.enqueued, self.deadline = enqueued, deadline
        self.outputs: list[Array] = []
        self.error: StatusError | None = None
        self.finished = False
        self.pieces = 1
        # A bare lock is the lightest thing to wait for: held until the answer is there, released once.
        self._done = threading.Lock()
        self._done.acquire()
        self._guard: threading.Lock | None = None
        self._missing = 1
        self._shares: list[Sequence[Array]] = [()]

    def cut(self, sizes: Sequence[int]) -> list[Piece]:
        """The request as consecutive pieces of so many rows. To be called once."""
        if len(sizes) == 1:
            return [Piece(self, 0, 0, self.rows)]
        self._guard, self._shares = threading.Lock(), [()] * len(sizes)
        self.pieces = self._missing = len(sizes)
        pieces, first = [], 0
        for position, rows in enumerate(sizes):
            pieces.append(Piece(self, position, first, rows))
            first += rows
        return pieces

    def wait(self, seconds: float | None) -> bool:
        """Wait until the answer is there, for ever without ``seconds``. False when it is not."""
        if self.finished:
            return True
        return self._done.acquire(timeout=-1 if seconds is None else min(max(seconds, 0.0), threading.TIMEOUT_MAX))

    def settle(self, position: int, share: Sequence[Array], error: StatusError | None) -> None:
        """Take the answer for one piece. The last one wakes the caller; of several errors the first one stays."""
        if self._guard is None:
            self._finish(share, error)
            return
        with self._guard:
            self._shares[position] = share
            self.error = self.error or error
            self._missing -= 1
            last = self._missing == 0
        if last:
            self._join()

    def _join(self) -> None:
        share: list[Array] = []
        if self.error is None:
            try:
                share = [np.concatenate(parts) for parts in zip(*self._shares, strict=True)]
            except ValueError as error:
                self.error = StatusError(Code.INTERNAL, f"Tensor concat operation failed: {error}")
        self._finish(share, self.error)

    def _finish(self, share: Sequence[Array], error: StatusError | None) -> None:
        self.error = error
        if error is None:
            self.outputs = [share[index] for index in self.order]
        self.finished = True
        self._done.release()


class Piece:
    """Consecutive rows of a request; all of them, unless the request was split over batches."""

    __slots__ = ("_answered", "_first", "_position", "request", "rows")

    def __init__(self, request: Request, position: int, first: int, rows: int) -> None:
        self.request, self.rows = request, rows
        self._position, self._first = position, first
        self._answered = False

    def feed(self, name: str) -> Array:
        """The piece's rows of one input."""
        array = self.request.feeds[name]
        return array if self.rows == self.request.rows else array[self._first : self._first + self.rows]

    def answer(self, share: Sequence[Array]) -> None:
        """Hand over the piece's rows of each output of the batch. Only the first answer of a piece counts."""
        self._settle(share, None)

    def fail(self, error: StatusError) -> None:
        """Say that there will be no rows. Does nothing to a piece that was answered."""
        self._settle((), error)

    def _settle(self, share: Sequence[Array], error: StatusError | None) -> None:
        if not self._answered:
            self._answered = True
            self.request.settle(self._position, share, error)
