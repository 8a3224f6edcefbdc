"""Time runs out for each caller; a batch has until its last caller's time is out."""

from __future__ import annotations

import pytest

from serving.server.batching.deadlines import deadline_of, expired, remaining
from serving.server.batching.request import Piece, Request


def pieces(*deadlines: float | None) -> list[Piece]:
    return [Request({}, 1, (), 0.0, deadline).cut([1])[0] for deadline in deadlines]


@pytest.mark.parametrize(("timeout", "deadline"), [(None, None), (2.0, 12.0), (0.0, 10.0), (-1.0, 9.0)])
def test_a_deadline_is_the_timeout_from_now(timeout, deadline):
    assert deadline_of(10.0, timeout, strict=False) == deadline


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 2147.483647), (0.0, 2147.483647), (0.0009, 2147.483647), (0.0125, 0.012)])
def test_strict_counts_milliseconds_and_none_is_a_long_time(timeout, seconds):
    assert deadline_of(0.0, timeout, strict=True) == pytest.approx(seconds)


def test_a_batch_may_run_until_the_latest_deadline():
    assert remaining(pieces(5.0, 7.0, 6.0), 4.0, strict=False) == 3.0


def test_one_request_without_deadline_gives_its_batch_for_ever():
    assert remaining(pieces(5.0, None), 4.0, strict=False) is None


def test_strict_gives_less_than_a_millisecond_for_ever():
    assert remaining(pieces(4.0005), 4.0, strict=True) is None
    assert remaining(pieces(4.5), 4.0, strict=True) == 0.5


def test_time_is_out_at_the_deadline():
    early, late = pieces(5.0, None)
    assert [expired(early, now) for now in (4.9, 5.0, 5.1)] == [False, True, True]
    assert not expired(late, 1e9)
