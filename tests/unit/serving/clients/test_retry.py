"""What is tried again, when, and when no more."""

from __future__ import annotations

import pytest

from serving.clients.base import error_for
from serving.clients.retry import ConnectionLost, Deadline, Send, Wait, asked, pause_seconds
from serving.errors import Unavailable
from serving.protocol.status import Code
from tests.unit.serving.clients.scripted import Clock, drive

BUSY = error_for(Code.UNAVAILABLE, "busy")


def ask(answers, *, retries=2, seconds=30.0, chance=0.0):
    clock = Clock()
    return drive(asked("call", retries, Deadline(seconds, clock, "server"), lambda: chance), answers, clock)


def test_an_answer_is_the_result():
    assert ask(["answer"]) == ("answer", [Send("call", 30.0)])


def test_unavailable_is_tried_again_after_growing_pauses_and_within_what_is_left():
    assert ask([BUSY, BUSY, "answer"]) == (
        "answer",
        [Send("call", 30.0), Wait(0.1), Send("call", pytest.approx(29.9)), Wait(0.2), Send("call", pytest.approx(29.7))],
    )


def test_after_the_last_retry_the_error_is_told():
    result, done = ask([BUSY, BUSY, BUSY])
    assert result is BUSY
    assert [type(step) for step in done] == [Send, Wait, Send, Wait, Send]


def test_without_retries_the_first_error_is_told():
    assert ask([BUSY], retries=0) == (BUSY, [Send("call", 30.0)])


@pytest.mark.parametrize("code", [code for code in Code if code not in (Code.OK, Code.UNAVAILABLE)])
def test_no_other_error_is_tried_again(code):
    error = error_for(code, "why")
    assert ask([error]) == (error, [Send("call", 30.0)])


def test_a_connection_lost_on_the_way_is_not_tried_again():
    lost = ConnectionLost("lost", code="UNAVAILABLE")
    assert ask([lost]) == (lost, [Send("call", 30.0)])


def test_a_pause_longer_than_the_time_left_is_not_made():
    result, done = ask([BUSY], seconds=0.1)
    assert (result, done) == (BUSY, [Send("call", 0.1)])


def test_a_call_that_comes_back_when_the_time_is_up_is_not_sent_again():
    clock = Clock()
    deadline = Deadline(1.0, clock, "server")
    clock.now += 1.0
    with pytest.raises(Unavailable, match="server did not answer within 1 s") as caught:
        deadline.left()
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert not deadline.allows(0.0)


@pytest.mark.parametrize(
    ("retry", "chance", "seconds"),
    [(0, 0.0, 0.1), (0, 1.0, 0.2), (1, 0.0, 0.2), (2, 0.5, 0.6), (3, 1.0, 1.6), (4, 0.0, 1.0), (4, 1.0, 2.0), (30, 1.0, 2.0)],
)
def test_pauses_double_up_to_two_seconds_and_are_spread(retry, chance, seconds):
    assert pause_seconds(retry, chance) == pytest.approx(seconds)
