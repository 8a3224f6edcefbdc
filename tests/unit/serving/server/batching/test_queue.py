"""Batches are full, or late enough, and never too large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.protocol.status import Code, StatusError
from serving.server.batching.limits import limits_of
from serving.server.batching.merging import merge, share_out
from serving.server.batching.queue import NOW, BatchQueue
from serving.server.batching.request import Piece, Request
from serving.server.batching_parameters import BatchingParameters


def queue(**parameters) -> BatchQueue:
    return BatchQueue(limits_of(BatchingParameters(**parameters), strict=False))


def request(rows: int = 1, first: int = 0) -> Request:
    return Request({"x": np.arange(first, first + rows)}, rows, (0,), 0.0, None)


def sizes(pieces: list[Piece] | None) -> list[int] | None:
    return pieces and [piece.rows for piece in pieces]


def test_nothing_queued_is_nothing_due():
    empty = queue()
    assert empty.due() is None
    assert empty.take(1e9) is None


def test_without_timeout_a_batch_is_whatever_is_there():
    waiting = queue()
    waiting.add(request(), 5.0)
    waiting.add(request(2), 5.0)
    assert sizes(waiting.take(5.0)) == [1, 2]
    assert waiting.take(5.0) is None


def test_a_batch_waits_for_its_time_from_the_first_request_on():
    waiting = queue(batch_timeout_micros=2_000_000)
    waiting.add(request(), 5.0)
    waiting.add(request(), 6.5)
    assert waiting.due() == 7.0
    assert waiting.take(6.9) is None
    assert sizes(waiting.take(7.0)) == [1, 1]


def test_a_full_batch_does_not_wait():
    waiting = queue(max_batch_size=2, batch_timeout_micros=2_000_000)
    waiting.add(request(), 5.0)
    waiting.add(request(), 5.0)
    assert waiting.due() == NOW


def test_a_request_that_does_not_fit_starts_a_batch_with_a_time_of_its_own():
    waiting = queue(max_batch_size=4, batch_timeout_micros=2_000_000)
    waiting.add(request(3), 5.0)
    waiting.add(request(2), 6.0)
    assert sizes(waiting.take(6.0)) == [3]
    assert waiting.due() == 8.0


def test_a_closed_queue_waits_for_nobody():
    waiting = queue(batch_timeout_micros=2_000_000)
    waiting.add(request(), 5.0)
    waiting.close()
    assert sizes(waiting.take(5.0)) == [1]


def test_a_request_without_rows_is_due_as_well():
    waiting = queue(max_batch_size=1)
    waiting.add(request(0), 5.0)
    assert sizes(waiting.take(5.0)) == [0]


def test_a_single_piece_can_be_taken_as_such():
    waiting = queue()
    assert waiting.take_lone(5.0) is None
    waiting.add(request(), 5.0)
    assert waiting.take_lone(4.0) is None
    assert sizes(waiting.take_lone(5.0)) == [1]
    waiting.add(request(), 5.0)
    waiting.add(request(), 5.0)
    assert waiting.take_lone(5.0) is None


def refusal(waiting: BatchQueue, rows: int) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        waiting.add(request(rows), 5.0)
    return caught.value.code, caught.value.message


def test_a_request_larger_than_any_batch_is_refused():
    text = "Task size 5 is larger than maximum input batch size 4"
    assert refusal(queue(max_batch_size=4), 5) == (Code.INVALID_ARGUMENT, text)


def test_a_full_queue_refuses():
    waiting = queue(max_batch_size=2, max_enqueued_batches=2)
    waiting.add(request(2), 5.0)
    waiting.add(request(1), 5.0)
    text = "The batch scheduling queue to which this task was submitted is full; currently 2 batches enqueued and max_enqueued_batches is 2"
    assert refusal(waiting, 2) == (Code.UNAVAILABLE, text)
    waiting.add(request(1), 5.0)  # what still fits is welcome


def test_a_full_queue_that_splits_counts_rows():
    waiting = queue(max_batch_size=9, max_execution_batch_size=3, max_enqueued_batches=2, enable_large_batch_splitting=True)
    waiting.add(request(2), 5.0)
    text = (
        "The batch scheduling queue to which this task was submitted is full; task size is 5 but scheduling capacity is only 4 "
        "(num_enqueued_batches=1, max_enqueued_batches=2, open_batch_size=2, max_execution_batch_size=3)"
    )
    assert refusal(waiting, 5) == (Code.UNAVAILABLE, text)
    assert waiting.add(request(4), 5.0) == 2


def test_a_large_request_is_split_to_fill_the_open_batch_first():
    waiting = queue(max_batch_size=9, max_execution_batch_size=3, enable_large_batch_splitting=True)
    waiting.add(request(2), 5.0)
    assert waiting.add(request(6), 5.0) == 3
    assert [sizes(waiting.take(5.0)) for _ in range(4)] == [[2, 1], [3], [2], None]


def test_without_splitting_a_request_stays_whole():
    waiting = queue(max_batch_size=9)
    waiting.add(request(5), 5.0)
    assert waiting.add(request(6), 5.0) == 1
    assert [sizes(waiting.take(5.0)) for _ in range(2)] == [[5], [6]]


def test_a_withdrawn_request_leaves_its_place_to_others():
    waiting = queue(max_batch_size=2, max_enqueued_batches=2)
    gone, stays = request(2), request(1)
    waiting.add(gone, 5.0)
    waiting.add(stays, 5.0)
    assert waiting.withdraw(gone) == 1
    assert waiting.withdraw(gone) == 0
    waiting.add(request(2), 5.0)
    assert [sizes(waiting.take(5.0)) for _ in range(3)] == [[1], [2], None]


def test_a_batch_from_which_one_withdrew_is_not_full_any_more():
    waiting = queue(max_batch_size=2, batch_timeout_micros=2_000_000)
    gone = request()
    waiting.add(gone, 5.0)
    waiting.add(request(), 5.0)
    waiting.withdraw(gone)
    assert waiting.due() == 7.0
    waiting.add(request(), 6.0)
    assert sizes(waiting.take(6.0)) == [1, 1]


@st.composite
def parameter_sets(draw: st.DrawFn) -> BatchingParameters:
    largest = draw(st.integers(1, 12))
    smaller = draw(st.sets(st.integers(1, largest), max_size=3))
    return BatchingParameters(
        max_batch_size=largest,
        batch_timeout_micros=draw(st.sampled_from([0, 3_000_000])),
        max_enqueued_batches=draw(st.integers(1, 4)),
        allowed_batch_sizes=draw(st.sampled_from([(), (*sorted(smaller - {largest}), largest)])),
        enable_large_batch_splitting=draw(st.booleans()),
        max_execution_batch_size=draw(st.none() | st.integers(1, largest)),
    )


@settings(max_examples=60, deadline=None)
@given(parameter_sets(), st.lists(st.integers(0, 14) | st.none(), max_size=30))
def test_everyone_gets_his_own_rows_whatever_the_parameters(parameters, steps):
    limits = limits_of(parameters, strict=False)
    waiting, accepted, clock, first = BatchQueue(limits), [], 0.0, 0
    for step in [*steps, *[None] * 60]:  # None: time passes and a thread comes by
        clock += 1
        if step is not None:
            asked = request(step, first)
            first += step
            try:
                waiting.add(asked, clock)
            except StatusError:
                continue
            accepted.append(asked)
        elif pieces := waiting.take(clock):
            rows = sum(piece.rows for piece in pieces)
            assert rows <= limits.max_batch
            padded = limits.padded(rows)
            assert padded <= parameters.max_batch_size
            assert not rows or not limits.allowed or padded in limits.allowed
            merged = merge(pieces, ["x"], padded - rows, pad=False, strict=False)
            for piece, share in zip(pieces, share_out([merged["x"] * 10], 1, pieces, padded), strict=True):
                piece.answer(share)
    assert waiting.due() is None
    for asked in accepted:
        assert asked.finished
        assert asked.outputs[0].tolist() == (asked.feeds["x"] * 10).tolist()
