"""How TensorFlow's profiler server is started and fenced; its Python module is a fake here."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from serving.protocol.status import Code, StatusError
from serving.server.runtime import profiler_server
from serving.server.runtime.profiler_server import keep_local, listening, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not on this stack: sockets are tied to an interface on Linux only")


@pytest.fixture
def opened(monkeypatch) -> Iterator[list[socket.socket]]:
    """The sockets that the fake TensorFlow listens on, on every address as the real one does."""
    sockets: list[socket.socket] = []

    def start_server(port: int) -> None:
        sockets.append(socket.create_server(("", port)))

    monkeypatch.setattr(profiler_server, "import_without_init", lambda _: SimpleNamespace(start_server=start_server))
    yield sockets
    for one in sockets:
        one.close()


def device(one: socket.socket) -> bytes:
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")


def test_the_server_is_tied_to_this_machine_and_answers_there(opened):
    port = start()
    assert device(opened[0]) == b"lo"
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_only_sockets_that_listen_on_the_port_are_found():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)):
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            found = list(listening(port))
        assert [one.getsockname() for one in found] == [server.getsockname()]
        for one in found:
            one.close()


def test_looking_for_sockets_leaves_no_descriptor_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = len(list(profiler_server._DESCRIPTORS.iterdir()))
        for one in listening(server.getsockname()[1]):
            one.close()
        assert len(list(profiler_server._DESCRIPTORS.iterdir())) == before


def test_a_server_that_cannot_be_fenced_is_closed(opened, monkeypatch):
    monkeypatch.setattr(profiler_server, "_LOOPBACK", b"no-such-device\0")
    with pytest.raises(StatusError, match="open to the network") as caught:
        start()
    assert caught.value.code is Code.UNIMPLEMENTED
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(opened[0].getsockname()[:2], timeout=5)


def test_keeping_a_socket_local_may_be_repeated():
    with socket.create_server(("127.0.0.1", 0)) as server:
        keep_local(server)
        assert device(server) == b"lo"


def test_a_port_that_did_not_open_is_told(monkeypatch):
    monkeypatch.setattr(profiler_server, "import_without_init", lambda _: SimpleNamespace(start_server=lambda _: None))
    with pytest.raises(StatusError, match="try again") as caught:
        start()
    assert caught.value.code is Code.UNAVAILABLE


def test_a_tensorflow_without_a_profiler_is_told(monkeypatch):
    def missing(module: str) -> None:
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(profiler_server, "import_without_init", missing)
    with pytest.raises(StatusError, match="has no profiler server: No module named") as caught:
        start()
    assert caught.value.code is Code.UNIMPLEMENTED


def test_a_system_that_cannot_fence_does_not_start_it(opened, monkeypatch):
    monkeypatch.setattr(profiler_server.sys, "platform", "darwin")
    with pytest.raises(StatusError, match="needs Linux"):
        start()
    assert opened == []
