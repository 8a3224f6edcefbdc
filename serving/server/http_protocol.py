"""uvicorn's HTTP protocol with an end to how much a request's head may hold."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 64 * 1024


class HeadTooLarge(Exception):
    """The URL and the headers of a request are more than `LARGEST_HEAD_BYTES`; the protocol answers 400 and hangs up."""


class BoundedHttpProtocol(HttpToolsProtocol):  # type: ignore[misc] # uvicorn's types are not followed
    """Counts what the parser hands over before it is kept; without it a client could have any amount of memory."""

    _head_bytes = 0

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
