"""uvicorn's HTTP protocol with an end to how much a request's head may hold, and with one write for an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 64 * 1024


class HeadTooLarge(Exception):
    """The URL and the headers of a request are more than `LARGEST_HEAD_BYTES`; the protocol answers 400 and hangs up."""


class GatheringTransport:
    """A transport that sends what is written in one turn of the loop at its end, in one piece.

    uvicorn writes the head of an answer and its body one after the other; for a small answer each of the two costs more than all else.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """See `asyncio.Transport.write`."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        """See `asyncio.Transport.close`; what was written is sent before."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            data, self._parts = b"".join(self._parts), []
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedHttpProtocol(HttpToolsProtocol):  # type: ignore[misc] # uvicorn's types are not followed
    """Counts what the parser hands over before it is kept; without it a client could have any amount of memory."""

    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Asyncio's callback."""
        super().connection_made(GatheringTransport(transport, self.loop))

    def on_message_begin(self) -> None:
        """Httptools' callback."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Httptools' callback."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Httptools' callback."""
        self._count(name, value)
        super().on_header(name, value)

    def _count(self, *parts: bytes) -> None:
        self._head_bytes += sum(map(len, parts))
        if self._head_bytes > LARGEST_HEAD_BYTES:
            raise HeadTooLarge
