"""What stands around every request. Before it is read: an id, who asks, how often, how much. After it: a count and a line in the log."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gateway.access import ANYBODY, NOBODY, Caller, Denied
from serving.gateway.admission import Overloaded
from serving.gateway.answers import TooLarge, TooSlow, encoded, send_answer, whole_seconds
from serving.gateway.state import Gateway

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
# Who looks whether we live has no key, and the page asks for one itself.
_OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"})
_OPEN_BELOW = "/page/"
_CALLS = "/v1/models/"
_TOLD_SECONDS = 1.0
_BODY_SECONDS = 60.0
_UPLOAD = re.compile(r"/predict/[^/]+/image")
# An upload of several images may be larger than one.
_IMAGES_AT_ONCE = 4
# Turned away before it is known which model is asked; counted without its name.
_REFUSED = frozenset({401, 413, 429})


@dataclass
class Call:
    """What is known of a request, for the log and the counters. ``version`` 0: no model answered."""

    id: str
    caller: Caller = ANYBODY
    model: str = ""
    version: int = 0
    route: str = ""
    problem: str = ""


class Guard:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway
        self._turned_away: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (model := self._crowded(scope)) is not None:
            await self._turn_away(model, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        # It must differ, not be hard to guess.
        call = Call(given if _ID.fullmatch(given) else f"{random.getrandbits(64):016x}")
        scope.setdefault("state", {})["call"] = call
        begun, sent = time.perf_counter(), 0
        status: int | None = None

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
        except asyncio.CancelledError:
            if not self._gateway.draining or status is not None:
                raise
            # The time for requests under way is over; the server would say so in plain text, as a fault of ours.
            call.problem = "the gateway is ending"
            await _refuse(answered, 503, call.problem, {"retry-after": "1"})
        except ClientDisconnect:
            status, call.problem = 499, "the caller went away"
        except Exception:  # a fault of ours costs one request and is told in the log
            log.exception("request %s failed", call.id)
            call.problem = "failed"
            if status is None:
                await _refuse(answered, 500, "the gateway failed; its log says where", {})
        finally:
            self._count(scope, call, status or 500, sent, time.perf_counter() - begun)

    def _crowded(self, scope: Scope) -> str | None:
        """The model that a request is for which finds no room, as soon as its path is known: more is not looked at.

        While a gateway says no more often than yes, what that costs is what is missing for the others.
        """
        path: str = scope["path"]
        if scope["method"] != "POST" or not path.startswith(_CALLS):
            return None
        model = path[len(_CALLS) :].partition(":")[0].partition("/")[0]
        return None if self._gateway.full_room(model) is None else model

    async def _turn_away(self, model: str, send: Send) -> None:
        headers, body = _no_room(self._gateway.room(model).again_seconds)
        metrics = self._gateway.metrics
        metrics.requests.labels(metrics.name(model), "", "", "503").inc()
        if not self._turned_away:
            asyncio.get_running_loop().call_later(_TOLD_SECONDS, self._tell_turned_away)
        self._turned_away[model] += 1
        # A list of its own: what stands around this adds to it.
        await send({"type": "http.response.start", "status": 503, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    def _tell_turned_away(self) -> None:
        """One line for all of them: a line for each would cost more than the answers."""
        for model, count in self._turned_away.items():
            log.info("%s", json.dumps({"at": _now(), "turned_away": count, "model": model}))
        self._turned_away.clear()

    def _refusal(self, scope: Scope, headers: Headers, call: Call) -> tuple[int, str, dict[str, str]] | None:
        path = scope["path"]
        length = headers.get("content-length", "0")
        largest = self._largest(path)
        if length.isdigit() and int(length) > largest:
            # Not with an end of the connection: what the caller still sends would reset it before it has read the answer.
            call.problem = str(TooLarge(largest))
            return 413, call.problem, {}
        if path in _OPEN or path.startswith(_OPEN_BELOW) or scope["method"] == "OPTIONS":
            return None
        try:
            call.caller = self._gateway.access.caller(headers)
        except Denied as error:
            call.caller, call.problem = NOBODY, str(error)
            return 401, f"not let in: {error}", {"www-authenticate": 'Bearer realm="sluiceway"'}
        if call.caller.per_minute is not None:
            seconds = self._gateway.buckets.take((call.caller.is_token, call.caller.name), call.caller.per_minute)
            if seconds > 0:
                again = whole_seconds(seconds)
                call.problem = f"{call.caller.name} may make {call.caller.per_minute} requests a minute; try again in {again} s"
                return 429, call.problem, {"retry-after": str(again)}
        return None

    def _largest(self, path: str) -> int:
        limits = self._gateway.config.limits
        if _UPLOAD.fullmatch(path):
            return int(limits.image_mib * _IMAGES_AT_ONCE * 2**20) + 2**16
        return int(limits.body_mib * 2**20)

    def _count(self, scope: Scope, call: Call, status: int, sent: int, seconds: float) -> None:
        metrics = self._gateway.metrics
        if status in _REFUSED and not call.model:
            metrics.requests.labels("", "", "", str(status)).inc()
        if call.model:
            model = metrics.name(call.model)
            version = str(call.version) if call.version else ""
            metrics.requests.labels(model, version, call.route, str(status)).inc()
            metrics.seconds.labels(model, call.route).observe(seconds)
        line: dict[str, Any] = {
            "at": _now(),
            "id": call.id,
            "from": (scope.get("client") or ["?"])[0],
            "key": None if call.caller is NOBODY else call.caller.name,
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


@functools.cache
def _no_room(seconds: float) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """Headers and body of the same answer for everybody, made once."""
    error = Overloaded(seconds)
    body, again = encoded({"error": str(error)}), str(whole_seconds(seconds)).encode()
    return ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"retry-after", again)), body


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _bounded(receive: Receive, largest: int) -> Receive:
    """A body that was announced as smaller, or not at all, ends where it is too large, and one that does not come is not waited for."""
    taken, is_whole = 0, False
    until = time.monotonic() + _BODY_SECONDS

    async def bounded() -> Message:
        nonlocal taken, is_whole
        if is_whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), until - time.monotonic())
        except asyncio.TimeoutError as error:
            raise TooSlow(_BODY_SECONDS) from error
        if message["type"] == "http.request":
            is_whole = not message.get("more_body", False)
            taken += len(message.get("body", b""))
            if taken > largest:
                raise TooLarge(largest)
        return message

    return bounded


async def _refuse(send: Send, status: int, message: str, headers: dict[str, str]) -> None:
    await send_answer(send, status, encoded({"error": message}), headers)
