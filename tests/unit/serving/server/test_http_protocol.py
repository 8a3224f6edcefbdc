"""A request's head has an end."""

from __future__ import annotations

import socket

import pytest

from serving.server.http_protocol import LARGEST_HEAD_BYTES
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
