"""Two ends of a socket pair ask each other."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serving.protocol.status import Code, StatusError
from serving.server.workers.channel import Channel


def nobody_asks(what: str, about: Any) -> Any:
    raise AssertionError(f"{what} {about}")


@pytest.fixture
def pair() -> Iterator[Callable[..., tuple[Channel, Channel]]]:
    """Makes two ends of one channel; the answers are the second one's."""
    made: list[Channel] = []

    def make(answer: Callable[[str, Any], Any] = nobody_asks, gone: Callable[[], None] = lambda: None) -> tuple[Channel, Channel]:
        ours, theirs = socket.socketpair()
        made.extend((Channel(ours, nobody_asks, gone), Channel(theirs, answer)))
        return made[-2], made[-1]

    before = {one for one in threading.enumerate() if one.name == "channel"}
    yield make
    for one in made:
        one.close()
    for thread in threading.enumerate():
        if thread.name == "channel" and thread not in before:
            thread.join(10)


@pytest.fixture
def raw() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel whose other side is in the test's hands."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours, lambda what, about: [what, about])
    with theirs:
        yield channel, theirs
    channel.close()


@pytest.mark.parametrize("about", [None, 7, "ä\n\0", [1.5, None], {"a": {"b": [True]}}, "long " * 100_000])
def test_an_answer_comes_back_as_it_was_given(pair, about):
    near, _ = pair(lambda what, about: [what, about])
    assert near.ask("question", about, 10) == ["question", about]


def test_answers_find_their_questions_in_whatever_order(pair):
    second = threading.Event()

    def answer(_: str, about: Any) -> Any:
        if about == 1:
            assert second.wait(10)
        else:
            second.set()
        return about

    near, _ = pair(answer)
    first = near.begin("a", 1)
    assert near.ask("b", 2, 10) == 2
    assert Channel.wait(first, "a", 10) == 1


def test_many_threads_may_ask_at_once(pair):
    near, _ = pair(lambda _, about: about)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda number: near.ask("echo", number, 10), range(200))) == list(range(200))


def test_an_error_keeps_its_code_and_text(pair):
    def answer(*_: Any) -> Any:
        raise StatusError(Code.DATA_LOSS, "ä lost")

    near, _ = pair(answer)
    with pytest.raises(StatusError, match=r"^ä lost$") as caught:
        near.ask("question", None, 10)
    assert caught.value.code is Code.DATA_LOSS


def test_a_fault_of_the_other_side_is_an_answer_too(pair, caplog):
    near, _ = pair(lambda _, about: 1 / about)
    with pytest.raises(StatusError, match="ZeroDivisionError: division by zero") as caught:
        near.ask("question", 0, 10)
    assert caught.value.code is Code.INTERNAL
    assert "question failed" in caplog.text
    assert near.ask("question", 2, 10) == 0.5


def test_an_answer_that_takes_too_long_is_not_waited_for_and_harms_nothing_later(pair):
    go = threading.Event()
    near, _ = pair(lambda what, _: go.wait(10) if what == "slow" else what)
    with pytest.raises(StatusError, match="slow: no answer from another process of the server in time") as caught:
        near.ask("slow", None, 0.01)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    go.set()
    assert near.ask("quick", None, 10) == "quick"


def test_what_is_told_arrives_and_is_not_answered(pair):
    heard, told = threading.Event(), []
    near, _ = pair(lambda what, about: told.append((what, about)) or heard.set())
    near.tell("listening", 1)
    assert heard.wait(10)
    assert told == [("listening", 1)]
    assert near.ask("next", None, 10) is None


def test_questions_under_way_end_when_the_other_side_goes(pair):
    go, gone = threading.Event(), threading.Event()
    near, far = pair(lambda *_: go.wait(10), gone.set)
    waiting = near.begin("question")
    far.close()
    with pytest.raises(StatusError, match="another process of the server is gone; try again") as caught:
        Channel.wait(waiting, "question", 10)
    assert caught.value.code is Code.UNAVAILABLE
    assert gone.wait(10)
    go.set()


def test_whoever_asks_after_the_end_hears_so_at_once(pair):
    near, far = pair()
    near.close()
    for end in (near, far):
        with pytest.raises(StatusError, match="gone"):
            end.ask("question", None, 10)
    near.tell("nobody")
    near.close()


def test_an_end_in_the_middle_of_a_line_is_an_end(raw):
    channel, other = raw
    waiting = channel.begin("question")
    other.sendall(b'{"answer": 0, "val')
    other.close()
    with pytest.raises(StatusError, match="gone"):
        Channel.wait(waiting, "question", 10)


def test_an_answer_to_nothing_is_ignored(raw):
    _, other = raw
    other.sendall(b'{"answer": 99, "value": 1}\n{"ask": 5, "what": "echo", "about": 2}\n')
    assert json.loads(other.makefile("rb").readline()) == {"answer": 5, "value": ["echo", 2]}


def test_a_question_that_comes_after_the_end_disturbs_nobody(raw):
    channel, other = raw
    channel._pool.shutdown()  # as in the moment between the last line read and the end
    other.sendall(b'{"ask": 1, "what": "late", "about": null}\n')
    waiting = channel.begin("question")
    other.sendall(b'{"answer": 0, "value": "still read"}\n')
    assert Channel.wait(waiting, "question", 10) == "still read"


def test_the_socket_is_closed_when_the_other_side_is_gone():
    ours, theirs = socket.socketpair()
    gone = threading.Event()
    Channel(ours, nobody_asks, gone.set)
    theirs.close()
    assert gone.wait(10)
    assert ours.fileno() == -1
