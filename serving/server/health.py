"""grpc.health.v1: is this server, or one of its models, ready for requests?

TF Serving sets three fixed names to SERVING at start and never looks again; that is what ``strict`` does. Otherwise the answer follows
the models:

    ""                                          every configured model has a version that is available
    tensorflow.serving.PredictionService, ...   the same, by full name or by TF Serving's short one
    <model>                                     this model has one

and while the server drains nothing is SERVING.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError

from serving.protocol import wire_pb2 as wire

log = logging.getLogger(__name__)

SERVICE = "grpc.health.v1.Health"
_SHORT = ("", "PredictionService", "ModelService")
_SERVICES = (*_SHORT, "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")
_Status = wire.HealthCheckResponse.ServingStatus
# Streams also follow the set of configured models, whose changes nobody announces.
_LOOK_SECONDS = 1.0


class View(Protocol):
    """What health asks of the models. Safe to use from many threads."""

    def ready(self, model: str) -> bool:
        """Whether a version of the model is available."""

    def wait_for_change(self, seen: int, timeout: float | None = None) -> int:
        """Wait until the number of changes is another than ``seen``, for ``timeout`` seconds at most, and return it."""


def status_of(
    service: str, view: View, configured: Collection[str], *, draining: bool = False, strict: bool = False
) -> _Status.ValueType | None:
    """SERVING or NOT_SERVING; None for a name that is neither a service nor a configured model.

    A server without any model is SERVING: it does all that its configuration asks.
    """
    if strict:
        return _Status.SERVING if service in _SHORT else None
    if service in _SERVICES:
        ready = all(view.ready(name) for name in configured)
    elif service in configured:
        ready = view.ready(service)
    else:
        return None
    return _Status.SERVING if ready and not draining else _Status.NOT_SERVING


@dataclass
class _Stream:
    """One client that watches, and what it was told last. Changed under its lock, so that the last thing told is the last that was true."""

    service: str
    send: Callable[[wire.HealthCheckResponse | None], None]
    told: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Health:
    """Answers Check and Watch. A watching client holds no thread: one, started with the first of them, serves all."""

    def __init__(self, view: View, configured: Callable[[], Collection[str]], *, strict: bool = False) -> None:
        self._view, self._configured, self._strict = view, configured, strict
        self._draining = False
        self._lock = threading.Lock()
        self._streams: list[_Stream] = []
        self._teller: threading.Thread | None = None

    def drain(self) -> None:
        """From now on nothing is SERVING. Open streams are told so and end, new ones at once."""
        with self._lock:
            self._draining = True
            streams, self._streams = self._streams, []
        for stream in streams:
            self._tell(stream)
            stream.send(None)

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The route table."""

        def check(content: bytes, context: grpc.ServicerContext) -> wire.HealthCheckResponse:
            return self._check(_read(content, context), context)

        def watch(content: bytes, context: grpc.ServicerContext, send_response_callback: Any) -> None:
            self._watch(_read(content, context).service, context, send_response_callback)

        # grpcio's own health service is made this way: the stream outlives the call of its handler.
        watch.experimental_non_blocking = True  # type: ignore[attr-defined]
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(check, response_serializer=_serialized),
            "Watch": grpc.unary_stream_rpc_method_handler(watch, response_serializer=_serialized),
        }
        return [grpc.method_handlers_generic_handler(SERVICE, methods)]

    def status(self, service: str) -> _Status.ValueType | None:
        """What Check would answer now."""
        return status_of(service, self._view, self._configured(), draining=self._draining, strict=self._strict)

    def _check(self, request: wire.HealthCheckRequest, context: grpc.ServicerContext) -> wire.HealthCheckResponse:
        status = self.status(request.service)
        if status is None:
            missing = "" if self._strict else f"{request.service}: no such service, and no model of that name"
            context.abort(grpc.StatusCode.NOT_FOUND, missing)
            raise AssertionError("abort returns never")
        return wire.HealthCheckResponse(status=status)

    def _watch(self, service: str, context: grpc.ServicerContext, send: Callable[[wire.HealthCheckResponse | None], None]) -> None:
        stream = _Stream(service, send)
        with self._lock:
            draining = self._draining
            if not draining:
                self._streams.append(stream)
            if not draining and self._teller is None:
                self._teller = threading.Thread(target=self._follow, name="health", daemon=True)
                self._teller.start()
        self._tell(stream)
        if draining:
            send(None)
        elif not context.add_callback(lambda: self._forget(stream)):
            self._forget(stream)

    def _forget(self, stream: _Stream) -> None:
        with self._lock:
            self._streams = [one for one in self._streams if one is not stream]

    def _follow(self) -> None:
        seen = -1
        while not self._draining:
            seen = self._view.wait_for_change(seen, _LOOK_SECONDS)
            with self._lock:
                streams = list(self._streams)
            for stream in streams:
                try:
                    self._tell(stream)
                except Exception:  # one broken stream must not leave the others without news
                    log.exception("health stream of %r failed", stream.service)
                    self._forget(stream)

    def _tell(self, stream: _Stream) -> None:
        with stream.lock:
            status = self.status(stream.service)
            # A stream stays open for a name that does not exist yet, as the protocol wants it.
            now = _Status.SERVICE_UNKNOWN if status is None else status
            if now != stream.told:
                stream.told = now
                stream.send(wire.HealthCheckResponse(status=now))


def _read(content: bytes, context: grpc.ServicerContext) -> wire.HealthCheckRequest:
    """The request; one that cannot be read is refused here, because grpc would put a traceback into the log."""
    try:
        return wire.HealthCheckRequest.FromString(content)
    except DecodeError as error:
        context.abort(grpc.StatusCode.INTERNAL, f"The request is not a HealthCheckRequest: {error}")
        raise AssertionError("abort returns never") from error


def _serialized(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content
