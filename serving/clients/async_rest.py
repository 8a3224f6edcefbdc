"""The REST client for asyncio. Needs numpy and httpx, neither protobuf nor TensorFlow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio

from serving.clients.awaited import AwaitedClient
from serving.clients.conversation import Conversation
from serving.clients.http import httpx
from serving.clients.options import Options, rest_place
from serving.clients.rest import http_extensions, http_settings
from serving.clients.rest_dialect import Document, HttpCall, RestDialect, failure, read_response


class AsyncRestClient(AwaitedClient):
    """An `AsyncPredictClient` over HTTP; see `RestClient`."""

    def __init__(self, address: str, options: Options | None = None, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        options = options or Options()
        place = rest_place(address, options)
        self.address = place.address
        super().__init__(Conversation(RestDialect(), self.address, options), sleep)
        self._extensions = http_extensions(place)
        self._http = httpx.AsyncClient(**http_settings(place, options))

    async def _send(self, call: HttpCall, seconds: float) -> Document:
        request = self._http.build_request(
            call.method, call.path, content=call.body or None, timeout=seconds, extensions=dict(self._extensions)
        )
        try:
            # httpx takes a limit for each part of a call, this one is for the whole. (asyncio.wait_for forgets a cancellation before 3.12.)
            with anyio.fail_after(seconds):
                response = await self._http.send(request)
        except httpx.HTTPError as error:
            raise failure(self.address, error) from error
        except TimeoutError as error:
            raise failure(self.address, error) from error
        return read_response(self.address, response.status_code, response.headers, response.content)

    async def _disconnect(self) -> None:
        await self._http.aclose()
