"""``/v1/models/...``: TF Serving's own REST API, so that a client only changes the address.

It stands before the framework's routes and reads paths by TF Serving's own grammar: what is asked most goes the shortest way, and what is
turned away costs next to nothing. What OpenAPI tells of it is in `api_documents`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.gateway.admission import Admission, Overloaded
from serving.gateway.answers import TooLarge, send_answer, told
from serving.gateway.checks import Problem, Unfit
from serving.gateway.guard import Call
from serving.gateway.routing import Asked, Target
from serving.gateway.state import Gateway
from serving.protocol import metadata, routes
from serving.protocol.status import Code, StatusError, status_json

# Of the path as it was sent, which is what the grammar reads.
_PREFIX = b"/v1/"
_GZIP = ("gzip", "x-gzip")


@dataclass(frozen=True)
class Begun:
    """A request that may be answered: what is asked, and in which room."""

    asked: Asked
    room: Admission
    timeout: float


class ModelApi:
    """An ASGI application that answers below /v1 and hands everything else on."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not scope["raw_path"].lower().startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        known: Call = scope["state"]["call"]
        try:
            text, headers = await self._answer(scope, receive, known)
        except Exception as error:
            answer = told(error)
            if answer is None:
                raise
            known.problem = answer.note
            await send_answer(send, answer.status, answer.body, answer.headers)
        else:
            await send_answer(send, 200, text.encode("utf-8", "surrogateescape"), headers)

    async def _answer(self, scope: Scope, receive: Receive, known: Call) -> tuple[str, dict[str, str]]:
        gateway = self._gateway
        route = routes.parse(scope["method"], scope["raw_path"].decode("ascii", "replace"))
        model, target = route.target.model, Target(route.target.version, route.target.label)
        if route.verb in routes.CALLS:
            headers = Headers(scope=scope)
            begun = begin(gateway, known, model, route.verb, target, headers)
            with begun.room.presence():
                body = await _body(receive, headers, int(gateway.config.limits.body_mib * 2**20))
                with under_way(gateway, known, model):
                    # Who is asked is looked up now: while the body was read, another server may have been configured.
                    upstream = gateway.upstream_of(model)
                    answered = await gateway.calls.answer(begun.asked, body, upstream, begun.room, begun.timeout)
                    known.version = answered.version
            return answered.text, version_header(answered.version)
        permitted(gateway, known, model)
        upstream, timeout = gateway.upstream_of(model), gateway.timeout(model)
        if route.verb == "status":
            # As with TF Serving, a label is not looked at here.
            statuses = await upstream.status(model, timeout, Target(target.version))
            gateway.metrics.learn(model)
            return status_json(statuses), {}
        found, definitions = await upstream.definitions(model, target, timeout)
        known.version = found.model_spec.version.value
        gateway.metrics.learn(model)
        return metadata.metadata_json(model, known.version, definitions), version_header(known.version)


def begin(gateway: Gateway, known: Call, model: str, verb: str, path: Target, headers: Mapping[str, str]) -> Begun:
    """Whether a request may be answered, and by which version.

    Raises:
        Overloaded: there is no room.
        StatusError: the caller may not ask this model, there is none of this name, or it is not clear which version is meant.
    """
    permitted(gateway, known, model)
    room = gateway.room(model)
    if room.is_full:
        # Before anything of it is read: who is turned away must cost next to nothing.
        raise Overloaded(room.again_seconds)
    try:
        asked, choice = gateway.route(model, verb, path, headers, known.caller)
    except ValueError as error:
        raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error
    known.route = choice.why
    return Begun(asked, room, gateway.timeout(model))


@contextmanager
def under_way(gateway: Gateway, known: Call, model: str) -> Iterator[None]:
    """Counts a request while it is answered. A model that has answered is called by its name from then on."""
    flying = gateway.metrics.in_flight.labels(gateway.metrics.name(model))
    flying.inc()
    try:
        yield
    finally:
        flying.dec()
    if known.version:
        gateway.metrics.learn(model)


def permitted(gateway: Gateway, known: Call, model: str) -> None:
    """Whether this caller may ask this model. Raises StatusError."""
    known.model, known.route = model, known.route or "newest"
    if not known.caller.may_ask(model):
        raise StatusError(Code.PERMISSION_DENIED, f"the key {known.caller.name} is not for the model {model}")
    gateway.upstream_of(model)


def version_header(version: int) -> dict[str, str]:
    """Which version answered."""
    return {"x-model-version": str(version)}


async def _body(receive: Receive, headers: Mapping[str, str], largest: int) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", *_GZIP):
        raise Unfit([Problem("content-encoding", f"{encoding[:40]!r}: only gzip is taken")])
    return _inflated(body, largest) if encoding in _GZIP else body


def _inflated(body: bytes, largest: int) -> bytes:
    """Undo gzip, which TF Serving takes too. Raises TooLarge, Unfit."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = inflater.decompress(body, largest + 1)
    except zlib.error as error:
        raise Unfit([Problem("content-encoding", "says gzip, and the body is none")]) from error
    if len(content) > largest:
        raise TooLarge(largest)
    if not inflater.eof:
        raise Unfit([Problem("content-encoding", "says gzip, and the body is cut off")])
    return content
