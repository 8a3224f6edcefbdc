"""Two free ports that stay ours until they are closed, for a program that cannot be told to take any free port.

A socket that is bound and never listens takes no connection, lets a server that asks to reuse the address (gRPC, libevent and Go do)
listen there, and keeps the kernel from giving the port to anybody else.
"""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


class ReservedPorts:
    """One port for REST and one for gRPC, on the loopback interface. Raises OSError when there are none."""

    def __init__(self) -> None:
        self._held = [_reserve(), _reserve()]
        self.grpc, self.rest = (int(held.getsockname()[1]) for held in self._held)

    def close(self) -> None:
        """Give them back."""
        for held in self._held:
            held.close()


def _reserve() -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((HOST, 0))
    return held
