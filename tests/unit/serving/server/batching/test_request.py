"""A request is answered once, when its last piece is."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching.request import Request

LOST = StatusError(Code.INTERNAL, "lost")


def request(rows: int = 5, order=(0,)) -> Request:
    return Request({"x": np.arange(rows)}, rows, order, 0.0, None)


def test_a_whole_request_is_fed_as_it_is():
    asked = request()
    (piece,) = asked.cut([5])
    assert piece.feed("x") is asked.feeds["x"]


def test_pieces_are_consecutive_rows():
    assert [piece.feed("x").tolist() for piece in request().cut([1, 3, 1])] == [[0], [1, 2, 3], [4]]


def test_outputs_come_in_the_callers_order():
    asked = request(order=(1, 0, 1))
    asked.cut([5])[0].answer([np.array([1]), np.array([2])])
    assert [output.tolist() for output in asked.outputs] == [[2], [1], [2]]


def test_pieces_are_put_together_in_order_whoever_is_first():
    asked = request()
    for piece in reversed(asked.cut([2, 2, 1])):
        assert not asked.wait(0)
        piece.answer([piece.feed("x") * 10])
    assert asked.wait(0)
    assert [output.tolist() for output in asked.outputs] == [[0, 10, 20, 30, 40]]


def test_one_lost_piece_loses_the_request_but_only_when_all_are_done():
    asked = request()
    first, second = asked.cut([2, 3])
    second.fail(LOST)
    assert not asked.finished
    first.answer([np.arange(2)])
    assert asked.finished
    assert asked.error is LOST


def test_of_several_errors_the_first_stays():
    asked = request()
    first, second = asked.cut([2, 3])
    second.fail(LOST)
    first.fail(StatusError(Code.INTERNAL, "lost as well"))
    assert asked.error is LOST


def test_only_the_first_answer_counts():
    asked = request()
    (piece,) = asked.cut([5])
    piece.answer([np.arange(5)])
    piece.fail(LOST)
    assert asked.error is None


def test_pieces_whose_shapes_do_not_fit_together_are_an_error():
    asked = request(2)
    first, second = asked.cut([1, 1])
    first.answer([np.zeros((1, 2))])
    second.answer([np.zeros((1, 3))])
    assert asked.error is not None
    assert asked.error.code == Code.INTERNAL
    assert asked.error.message.startswith("Tensor concat operation failed: ")


@pytest.mark.parametrize("seconds", [None, 5.0, 1e300])
def test_an_answer_wakes_who_waits(seconds):
    asked = request()
    (piece,) = asked.cut([5])
    threading.Timer(0.02, piece.answer, ([np.arange(5)],)).start()
    assert asked.wait(seconds)


def test_waiting_ends_in_time():
    start = time.monotonic()
    assert not request().wait(0.02)
    assert not request().wait(-1)
    assert time.monotonic() - start < 1
