"""What stands around every request. Before it is read: an id, who asks, how often, how much. After it: a count and a line in the log."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gateway.access import ANYBODY, Caller, Denied
from serving.gateway.state import Gateway

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
# Who looks whether we live has no key, and the page asks for one itself.
_OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"})
_OPEN_BELOW = "/page/"
_UPLOAD = re.compile(r"/predict/[^/]+/image")
# An upload of several images may be larger than one.
_IMAGES_AT_ONCE = 4
_PER_MINUTE = 60


@dataclass
class Call:
    """What is known of a request, for the log and the counters. ``version`` 0: no model answered."""

    id: str
    caller: Caller = ANYBODY
    model: str = ""
    version: int = 0
    route: str = ""
    problem: str = ""


class TooLarge(Exception):
    """The body is larger than is taken."""


class Guard:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        call = Call(given if _ID.fullmatch(given) else secrets.token_hex(8))
        scope.setdefault("state", {})["call"] = call
        begun, status, sent = time.perf_counter(), 500, 0

        async def answered(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = call.id
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            refusal = self._refusal(scope, headers, call)
            if refusal is not None:
                await _refuse(answered, *refusal)
            else:
                await self._app(scope, _bounded(receive, self._largest(scope["path"])), answered)
        finally:
            self._count(scope, call, status, sent, time.perf_counter() - begun)

    def _refusal(self, scope: Scope, headers: Headers, call: Call) -> tuple[int, str, dict[str, str]] | None:
        path = scope["path"]
        length = headers.get("content-length", "0")
        largest = self._largest(path)
        if length.isdigit() and int(length) > largest:
            return 413, _too_large(largest), {"connection": "close"}
        if path in _OPEN or path.startswith(_OPEN_BELOW) or scope["method"] == "OPTIONS":
            return None
        try:
            call.caller = self._gateway.access.caller(headers)
        except Denied as error:
            call.problem = str(error)
            return 401, f"not let in: {error}", {"www-authenticate": 'Bearer realm="sluiceway"'}
        if call.caller.per_minute is not None:
            seconds = self._gateway.buckets.take(call.caller.name, call.caller.per_minute)
            if seconds > 0:
                told = f"{call.caller.name} may make {call.caller.per_minute} requests a minute; try again in {seconds:.0f} s"
                return 429, told, {"retry-after": str(max(1, round(seconds + 0.5)))}
        return None

    def _largest(self, path: str) -> int:
        limits = self._gateway.config.limits
        if _UPLOAD.fullmatch(path):
            return int(limits.image_mib * _IMAGES_AT_ONCE * 2**20) + 2**16
        return int(limits.body_mib * 2**20)

    def _count(self, scope: Scope, call: Call, status: int, sent: int, seconds: float) -> None:
        metrics = self._gateway.metrics
        if call.model:
            model = metrics.name(call.model)
            version = str(call.version) if call.version else ""
            metrics.requests.labels(model, version, call.route, str(status)).inc()
            metrics.seconds.labels(model, call.route).observe(seconds)
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "id": call.id,
            "from": (scope.get("client") or ["?"])[0],
            "key": call.caller.name,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(seconds * 1000, 2),
            "sent": sent,
        }
        if call.model:
            line |= {"model": call.model, "version": call.version or None, "route": call.route}
        if call.problem:
            line["problem"] = call.problem[:200]
        log.info("%s", json.dumps(line, ensure_ascii=True))


def _bounded(receive: Receive, largest: int) -> Receive:
    """A body that was announced as smaller, or not at all, ends where it is too large."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > largest:
                raise TooLarge(_too_large(largest))
        return message

    return bounded


def _too_large(largest: int) -> str:
    return f"the body is too large; at most {largest / 2**20:g} MiB"


async def _refuse(send: Send, status: int, message: str, headers: dict[str, str]) -> None:
    body = json.dumps({"error": message}).encode()
    listed = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    await send(
        {"type": "http.response.start", "status": status, "headers": [(name.encode(), value.encode()) for name, value in listed.items()]}
    )
    await send({"type": "http.response.body", "body": body})
