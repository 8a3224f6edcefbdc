"""The REST API as an ASGI application: bytes off the socket, the work in a thread, bytes back."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from serving.protocol.status import error_json
from serving.server.rest_api import Answer, RestApi

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_LARGEST_INFLATED_BYTES = 100 * 2**20


class App:
    """One ASGI application. TensorFlow lets go of the interpreter lock while it runs, so threads are enough."""

    def __init__(self, api: RestApi, executor: Executor) -> None:
        self._api, self._executor = api, executor

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']} is not served")
        body = await _read(receive)
        if body is None:
            return  # the client went away
        answer = await self._answer(scope, body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Mapping[str, Any], body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if scope["method"] == "OPTIONS":
            allowed = b"http://" in headers.get(b"origin", b"") or b"https://" in headers.get(b"origin", b"")
            return Answer(200 if allowed else 400, b"")
        if b"gzip" in headers.get(b"content-encoding", b""):
            try:
                body = inflate(body)
            except ValueError as error:
                return Answer(400, error_json(str(error)).encode())
        path = scope["raw_path"].split(b"?", 1)[0].decode("ascii", "replace")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._api.answer, scope["method"], path, body)


async def _read(receive: Receive) -> bytes | None:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def inflate(body: bytes) -> bytes:
    """Undo gzip. Raises ValueError when it is none, or would be larger than TF Serving allows."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        result = inflater.decompress(body, _LARGEST_INFLATED_BYTES)
    except zlib.error as error:
        raise ValueError(f"Failed to uncompress the gzipped body: {error}") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError("Failed to uncompress the gzipped body: it is cut off or too large")
    return result
