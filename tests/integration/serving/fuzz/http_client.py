"""An HTTP client that sends any bytes and reads what comes back, on a connection that it keeps as long as the server does."""

from __future__ import annotations

import http.client
import json
import socket

from tests.integration.serving.contract.clients import HttpAnswer
from tests.integration.serving.fuzz.rest_requests import Request

_SECONDS = 20.0


class RawHttp:
    """One connection, opened again when the server has closed it."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.removeprefix("http://").rpartition(":")
        self._port = int(port)
        self._socket: socket.socket | None = None

    def ask(self, request: Request) -> HttpAnswer:
        """The answer to a whole request. Raises OSError or HTTPException when there is none."""
        if self._socket is None:
            self._socket = self._connect()
        try:
            self._socket.sendall(request.content)
            answer = http.client.HTTPResponse(self._socket, method=request.method)
            answer.begin()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def shout(self, content: bytes) -> bytes:
        """Send bytes on a connection of their own and no more after them; everything that comes back until the server closes it."""
        parts = []
        with self._connect() as one:
            try:
                one.sendall(content)
                one.shutdown(socket.SHUT_WR)
                while part := one.recv(65_536):
                    parts.append(part)
            except TimeoutError:
                raise
            except OSError:
                pass  # it was rude to a rude client
        return b"".join(parts)

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), timeout=_SECONDS)


def problem(answer: HttpAnswer, request: Request) -> str | None:
    """What is wrong with the form of an answer; its status is judged elsewhere."""
    if answer.status in (200, 404) or request.method in ("HEAD", "OPTIONS"):
        return None
    if answer.body == b"Invalid HTTP request received.":
        return None if answer.status == 400 else "an HTTP error that is none"
    if answer.headers.get("content-type") != "application/json":
        return f"content-type {answer.headers.get('content-type')}"
    try:
        document = json.loads(answer.text)
    except ValueError as error:
        return f"its body is no JSON: {error}"
    return None if list(document) == ["error"] else "its body is not {'error': ...}"
