"""Requests in, batches out: which rows are run together and when, without a thread or a clock."""

from __future__ import annotations

from collections import deque

from serving.protocol.status import Code, StatusError, invalid
from serving.server.batching.limits import Limits
from serving.server.batching.request import Piece, Request

NOW = float("-inf")


class _Batch:
    __slots__ = ("pieces", "rows", "started")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.rows = 0
        self.started = 0.0


class BatchQueue:
    """The batches that wait for a thread: the last one is open, the others are as full as they will be.

    Every method leaves between 1 and ``max_enqueued_batches`` batches. Not safe for threads; times are seconds of any one clock.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._batches: deque[_Batch] = deque([_Batch()])
        self._closed = False

    def add(self, request: Request, now: float) -> int:
        """Put a request, split where that is wanted, behind the others; the number of its pieces.

        Raises StatusError: INVALID_ARGUMENT for one that is too large for any batch, UNAVAILABLE when the queue is full.
        """
        self._admit(request.rows)
        batch, largest = self._batches[-1], self._limits.max_batch
        pieces = request.cut(self._sizes(request.rows, largest - batch.rows))
        for piece in pieces:
            if batch.rows + piece.rows > largest:
                batch = self._start()
            if not batch.pieces:
                batch.started = now
            batch.pieces.append(piece)
            batch.rows += piece.rows
        return len(pieces)

    def due(self) -> float | None:
        """From when on a batch may be taken; None while there is nothing to take."""
        if len(self._batches) > 1:
            return NOW
        batch = self._batches[-1]
        if not batch.pieces:
            return None
        if self._closed or batch.rows >= self._limits.max_batch:
            return NOW
        return batch.started + self._limits.timeout_seconds

    def take_lone(self, now: float) -> list[Piece] | None:
        """As `take`, but only when a single piece is all that waits."""
        return self.take(now) if len(self._batches) == 1 and len(self._batches[0].pieces) == 1 else None

    def take(self, now: float) -> list[Piece] | None:
        """The oldest batch, if it is time for it."""
        due = self.due()
        if due is None or due > now:
            return None
        if len(self._batches) == 1:
            self._start()
        return self._batches.popleft().pieces

    def withdraw(self, request: Request) -> int:
        """Forget what still waits of a request; the number of its pieces that did."""
        withdrawn = 0
        for batch in self._batches:
            kept = [piece for piece in batch.pieces if piece.request is not request]
            withdrawn += len(batch.pieces) - len(kept)
            batch.pieces, batch.rows = kept, sum(piece.rows for piece in kept)
        last = self._batches.pop()
        self._batches = deque([*(batch for batch in self._batches if batch.pieces), last])
        return withdrawn

    def close(self) -> None:
        """Nobody will join the open batch: it need not wait."""
        self._closed = True

    def _start(self) -> _Batch:
        batch = _Batch()
        self._batches.append(batch)
        return batch

    def _sizes(self, rows: int, room: int) -> list[int]:
        if rows <= room or not self._limits.splits:
            return [rows]
        largest = self._limits.max_batch
        head = [room] if room > 0 else []
        full, rest = divmod(rows - room, largest)
        return [*head, *[largest] * full, *([rest] if rest else [])]

    def _admit(self, rows: int) -> None:
        limits, batches, open_rows = self._limits, len(self._batches), self._batches[-1].rows
        if rows > limits.max_request:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limits.max_request}")
        if limits.splits:
            capacity = (limits.max_enqueued_batches - batches) * limits.max_batch + limits.max_batch - open_rows
            if rows > capacity:
                raise _full(
                    f"task size is {rows} but scheduling capacity is only {capacity} (num_enqueued_batches={batches}, "
                    f"max_enqueued_batches={limits.max_enqueued_batches}, open_batch_size={open_rows}, "
                    f"max_execution_batch_size={limits.max_batch})"
                )
        elif open_rows + rows > limits.max_batch and batches >= limits.max_enqueued_batches:
            raise _full(f"currently {batches} batches enqueued and max_enqueued_batches is {limits.max_enqueued_batches}")


def _full(what: str) -> StatusError:
    return StatusError(Code.UNAVAILABLE, f"The batch scheduling queue to which this task was submitted is full; {what}")
