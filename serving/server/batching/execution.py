"""One batch, run by the model, and every request in it answered."""

from __future__ import annotations

import time
from collections.abc import Sequence

from serving.protocol.status import Code, StatusError
from serving.server.batching.deadlines import expired, remaining, waited_too_long
from serving.server.batching.limits import Limits
from serving.server.batching.merging import merge, mergeable, share_out
from serving.server.batching.observer import BatchObserver
from serving.server.batching.request import Piece
from serving.server.servable import Array, Servable

# Codes that one request of a batch may have brought upon the others; the rest speak of the model, the machine or the time.
_OWN_FAULT = frozenset(
    (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.OUT_OF_RANGE, Code.UNIMPLEMENTED, Code.DATA_LOSS)
)


class Execution:
    """Runs batches of one model.

    ``strict`` is TF Serving's way: what is wrong with one request is wrong with all, and late requests are run along with others.
    Otherwise late requests are not run, requests that do not go together are run apart, and when a run fails with a code that one request
    may have caused, its requests are run again in halves until the guilty ones stand alone. One guilty request among n costs at most
    2 log2 n more runs, rounded up, n of them 2 n - 2; no request is run more than 1 + log2 n times.
    """

    def __init__(self, servable: Servable, limits: Limits, observer: BatchObserver, name: str, *, pad: bool, strict: bool) -> None:
        self._servable, self._limits, self._observer, self._name = servable, limits, observer, name
        self._pad, self._strict = pad, strict

    def run(self, inputs: Sequence[str], outputs: Sequence[str], pieces: Sequence[Piece]) -> None:
        """Answer every piece, with its rows of each output or with an error. Errors of the model do not come out of here."""
        try:
            now = time.monotonic()
            for piece in pieces:
                self._observer.queuing_latency(self._name, (now - piece.request.enqueued) * 1e6)
            if not self._strict:
                for group in mergeable(_in_time(pieces), inputs, pad=self._pad):
                    self._run_in_time(inputs, outputs, group)
            elif all(expired(piece, now) for piece in pieces):
                _fail(pieces, waited_too_long())
            else:
                self._run_together(inputs, outputs, pieces)
        except Exception as error:  # noqa: BLE001 - a pool thread must survive any model, and no caller may wait for ever
            broken = StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}")
            broken.__cause__ = error
            _fail(pieces, broken)
        except BaseException:
            _fail(pieces, StatusError(Code.CANCELLED, "The thread that ran the batch was interrupted"))
            raise

    def _run_in_time(self, inputs: Sequence[str], outputs: Sequence[str], pieces: Sequence[Piece]) -> None:
        """Run what is not late by now: others were run first."""
        if alive := _in_time(pieces):
            self._run_together(inputs, outputs, alive)

    def _run_together(self, inputs: Sequence[str], outputs: Sequence[str], pieces: Sequence[Piece]) -> None:
        try:
            results, rows = self._run_merged(inputs, outputs, pieces)
        except StatusError as error:
            failure = error.with_traceback(None)  # its frames hold the batch's arrays
        else:
            _answer(pieces, results, len(outputs), rows)
            return
        if self._strict or len(pieces) == 1 or failure.code not in _OWN_FAULT:
            _fail(pieces, failure)
            return
        half = len(pieces) // 2
        self._run_in_time(inputs, outputs, pieces[:half])
        self._run_in_time(inputs, outputs, pieces[half:])

    def _run_merged(self, inputs: Sequence[str], outputs: Sequence[str], pieces: Sequence[Piece]) -> tuple[list[Array], int]:
        rows = sum(piece.rows for piece in pieces)
        padded = self._limits.padded(rows)
        timeout = remaining(pieces, time.monotonic(), strict=self._strict)
        self._observer.padding_size(self._name, padded - rows, padded)
        self._observer.processed_batch_size(self._name, padded)
        merged = merge(pieces, inputs, padded - rows, pad=self._pad, strict=self._strict)
        self._observer.wrapped_run_count(self._name)
        return self._servable.run(merged, outputs, timeout), padded


def _in_time(pieces: Sequence[Piece]) -> Sequence[Piece]:
    now = time.monotonic()
    late = [piece for piece in pieces if expired(piece, now)]
    if not late:
        return pieces
    _fail(late, waited_too_long())
    return [piece for piece in pieces if not expired(piece, now)]


def _answer(pieces: Sequence[Piece], results: Sequence[Array], outputs: int, rows: int) -> None:
    try:
        shares = share_out(results, outputs, pieces, rows)
    except StatusError as error:
        _fail(pieces, error.with_traceback(None))
        return
    for piece, share in zip(pieces, shares, strict=True):
        piece.answer(share)


def _fail(pieces: Sequence[Piece], error: StatusError) -> None:
    for piece in pieces:
        piece.fail(error)
