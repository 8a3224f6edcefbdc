"""A request's head has an end."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from serving.server.http_protocol import LARGEST_HEAD_BYTES, GatheringTransport
from serving.server.models import Models
from tests.fakes.core import listen
from tests.fakes.servable import FakeServable


@pytest.fixture
def port():
    models = Models()
    models.load("m", 1, FakeServable)
    listeners = listen(models)
    yield listeners.ports.rest
    listeners.stop(1)


def first_line(port: int, head: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(head)
        except ConnectionError:
            return b""  # it hung up before all of it was sent
        return connection.makefile("rb").readline()


def headers(count: int, size: int) -> bytes:
    return b"GET /v1/models/m HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x%d: %s\r\n" % (n, b"a" * size) for n in range(count)) + b"\r\n"


def test_ordinary_headers_pass(port):
    assert first_line(port, headers(20, 1000)) == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(("count", "size"), [(1, LARGEST_HEAD_BYTES + 1), (200, 1000)])
def test_headers_without_end_are_refused(port, count, size):
    assert first_line(port, headers(count, size)) in (b"HTTP/1.1 400 Bad Request\r\n", b"")


def test_a_url_without_end_is_refused(port):
    assert first_line(port, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n") in (b"HTTP/1.1 400 Bad Request\r\n", b"")


class Recorded:
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("close")

    def is_closing(self) -> bool:
        return False


class Turns:
    """A loop whose turns a test takes."""

    def __init__(self) -> None:
        self.next: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.next.append(call)

    def turn(self) -> None:
        calls, self.next = self.next, []
        for call in calls:
            call()


def test_head_and_body_are_one_write():
    transport, loop = Recorded(), Turns()
    gathering = GatheringTransport(transport, loop)
    gathering.write(b"head")
    gathering.write(b"body")
    assert transport.told == []
    loop.turn()
    gathering.write(b"next")
    loop.turn()
    loop.turn()
    assert transport.told == [b"headbody", b"next"]
    assert gathering.is_closing() is False


def test_what_was_written_is_sent_before_the_end():
    transport, loop = Recorded(), Turns()
    gathering = GatheringTransport(transport, loop)
    gathering.write(b"last words")
    gathering.close()
    loop.turn()
    assert transport.told == [b"last words", "close"]
