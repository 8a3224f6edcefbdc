"""The REST port as an ASGI application: bytes off the socket, the work here or in a thread, bytes back."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from serving.protocol.status import error_json
from serving.server.batching.batched import MOST_TOGETHER
from serving.server.pages import Pages
from serving.server.rest_api import Answer, RestApi

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_LARGEST_INFLATED_BYTES = 100 * 2**20
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
]
# A request up to this size, to a model that answers in less than a millisecond, is answered on the loop: handing it to a thread and
# back would take longer than the answer.
_INLINE_BYTES = 16 * 1024
_MOST_PATHS = 1024
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True)
class HttpSettings:
    """How the REST port behaves. ``largest_body`` in bytes; 0 is no limit, as upstream."""

    cors: bool = False
    largest_body: int = 0


class App:
    """One ASGI application. TensorFlow lets go of the interpreter lock while it runs, so threads are enough."""

    def __init__(self, api: RestApi, pages: Pages, executor: Executor, settings: HttpSettings = HttpSettings()) -> None:
        self._api, self._pages, self._executor, self._settings = api, pages, executor, settings
        self._always = _CORS if settings.cors else []
        # Paths whose last answer was quick, and whether requests to them may be answered together: learned in one generation of the models.
        self._quick: dict[str, bool] = {}
        self._generation = api.generation
        self._waiting: dict[str, list[tuple[bytes, asyncio.Future[Answer]]]] = {}

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']} is not served")
        body = await _read(receive, self._settings.largest_body)
        if body is None:
            return  # the client went away
        answer = await self._answer(scope, body)
        headers = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body)), *self._always]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Mapping[str, Any], body: bytes | _TooLarge) -> Answer:
        if isinstance(body, _TooLarge):
            return _error(413, f"The request body is larger than {self._settings.largest_body} bytes")
        method, path = scope["method"], scope["raw_path"].split(b"?", 1)[0].decode("ascii", "replace")
        for name, value in scope["headers"]:
            if name == b"content-encoding" and b"gzip" in value:
                try:
                    body = inflate(body) if len(body) <= _INLINE_BYTES // 16 else await self._in_thread(inflate, body)
                except ValueError as error:
                    return _error(400, str(error))
                break
        if method == "OPTIONS":
            return _preflight(scope["headers"])
        if self._generation != (generation := self._api.generation):
            # The first run of a new version may take a hundred times as long: TensorFlow prepares its graph. Not on the loop.
            self._quick.clear()
            self._generation = generation
        if path in self._quick and method == "POST" and len(body) <= _INLINE_BYTES:
            answer = await self._gathered(path, body) if self._quick[path] else self._api.answer(method, path, body)
        else:
            work = self._pages.answer if self._pages.has(path) else self._api.answer
            answer = await self._in_thread(work, method, path, body)
        self._learn(path, answer)
        return answer

    def _in_thread(self, work: Callable[..., Any], *about: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._executor, work, *about)

    def _learn(self, path: str, answer: Answer) -> None:
        if answer.quick is False:
            self._quick.pop(path, None)
        elif answer.quick and len(self._quick) < _MOST_PATHS:
            self._quick[path] = answer.together

    def _gathered(self, path: str, body: bytes) -> asyncio.Future[Answer]:
        """The answer to come. All requests that are read in this turn of the loop are answered at its end, in one run."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        waiting = self._waiting.setdefault(path, [])
        waiting.append((body, future))
        if len(waiting) == 1:
            loop.call_soon(self._answer_gathered, path)
        return future

    def _answer_gathered(self, path: str) -> None:
        waiting = self._waiting.pop(path)
        for start in range(0, len(waiting), MOST_TOGETHER):
            group = waiting[start : start + MOST_TOGETHER]
            for (_, future), answer in zip(group, self._api.answer_together(path, [body for body, _ in group]), strict=True):
                if not future.done():  # the client may have gone away
                    future.set_result(answer)


class _TooLarge:
    """Stands for a body that nobody will read."""


async def _read(receive: Receive, largest: int) -> bytes | _TooLarge | None:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return _TooLarge() if 0 < largest < len(body) else body
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if not 0 < largest < size:
            parts.append(part)
        if not message.get("more_body", False):
            return _TooLarge() if 0 < largest < size else b"".join(parts)
        message = await receive()


def _preflight(headers: list[tuple[bytes, bytes]]) -> Answer:
    """A preflight is answered whether or not answers carry CORS headers."""
    origin = next((value for name, value in headers if name == b"origin"), b"")
    return Answer(200 if b"http://" in origin or b"https://" in origin else 400, b"")


def _error(code: int, message: str) -> Answer:
    return Answer(code, error_json(message).encode())


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
