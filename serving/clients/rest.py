"""The REST client. Needs numpy and httpx, neither protobuf nor TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from configs.errors import UsageError
from serving.clients.base import is_loopback
from serving.clients.blocking import BlockingClient
from serving.clients.conversation import Conversation
from serving.clients.http import httpx
from serving.clients.options import Options, Place, rest_place
from serving.clients.rest_dialect import Document, HttpCall, RestDialect, failure, read_response

_SHORTEST_WAIT = 1e-3  # 0 would mean "do not wait at all" to a socket, and fail although the answer is there

_LARGEST_PORT = 65535


class RestClient(BlockingClient):
    """A `PredictClient` over HTTP, on connections that are kept. ``address``: ``http(s)://host:port``; the scheme may be left out.

    Raises:
        UsageError: the address, or a file of ``options.tls``, is wrong.
    """

    def __init__(self, address: str, options: Options | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        options = options or Options()
        place = rest_place(address, options)
        self.address = place.address
        super().__init__(Conversation(RestDialect(), self.address, options), sleep)
        self._extensions = http_extensions(place)
        self._http = httpx.Client(**http_settings(place, options))

    def _send(self, call: HttpCall, seconds: float) -> Document:
        until = time.monotonic() + seconds
        try:
            request = self._http.build_request(
                call.method, call.path, content=call.body or None, timeout=seconds, extensions=dict(self._extensions)
            )
            # httpx takes a limit for each part of a call; as parts end, the next ones get what is left of the whole.
            waits: dict[str, float] = request.extensions["timeout"]
            request.extensions["trace"] = lambda *_: waits.update(dict.fromkeys(waits, max(until - time.monotonic(), _SHORTEST_WAIT)))
            response = self._http.send(request, stream=True)
            try:
                content = self._content(response, until)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise failure(self.address, error) from error
        return read_response(self.address, response.status_code, response.headers, content)

    def _content(self, response: httpx.Response, until: float) -> bytes:
        parts = []
        for part in response.iter_bytes():
            parts.append(part)
            if time.monotonic() > until:
                raise httpx.ReadTimeout("the answer came too slowly")
        return b"".join(parts)

    def _disconnect(self) -> None:
        self._http.close()


def http_settings(place: Place, options: Options) -> dict[str, Any]:
    """What httpx's clients are made with. Raises UsageError."""
    from serving.clients.tls import client_context

    try:
        port = httpx.URL(place.address).port
    except httpx.InvalidURL as error:
        raise UsageError(f"{place.address} is not an address: {error}") from error
    if port is not None and port > _LARGEST_PORT:
        raise UsageError(f"{place.address} is not an address: ports end at {_LARGEST_PORT}")
    return {
        "base_url": place.address,
        "headers": options.headers,
        "timeout": options.timeout,
        "trust_env": not is_loopback(place.address),
        "verify": client_context(place.tls) if place.tls else True,
    }


def http_extensions(place: Place) -> dict[str, Any]:
    """What goes with every request: the name that the server's certificate is checked for, where it is not the address."""
    return {"sni_hostname": place.tls.server_name} if place.tls and place.tls.server_name else {}
