"""The socket: on an address of this machine, free, and without a wait between the parts of an answer."""

from __future__ import annotations

import socket

import pytest

from configs.errors import UsageError
from serving.gateway.process import listening


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_it_listens(host):
    with listening(host, 0) as sock:
        with socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=5):
            pass
        # What asyncio looks at before it turns Nagle's algorithm off.
        assert sock.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_told():
    with listening("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"^port: 127.0.0.1:{port} is taken; stop who has it, or give another"),
            listening("127.0.0.1", port),
        ):
            pass
    with listening("127.0.0.1", port):
        pass


@pytest.mark.parametrize("host", ["192.0.2.1", "", "x" * 300, "\udcff"])
def test_an_address_that_is_not_here_is_told(host):
    with pytest.raises(UsageError, match=r"^host: "), listening(host, 0):
        pass
