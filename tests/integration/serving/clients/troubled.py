"""Servers that answer a status call as a test says, call after call, over HTTP and over gRPC."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import State, VersionStatus, error_json, status_json

GOOD = [VersionStatus(7, State.AVAILABLE)]
METHOD = ("tensorflow.serving.ModelService", "GetModelStatus")


@dataclass
class Troubled:
    """What was asked, and what is still to happen: ``busy``, ``broken``, ``slow``, over HTTP ``lost`` and ``trickle``; then all is good."""

    troubles: list[str]
    rest_address: str = ""
    grpc_address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def next(self, headers: dict[str, str]) -> str:
        self.asked.append(headers)
        return self.troubles.pop(0) if self.troubles else "good"


@contextmanager
def troubled(troubles: Sequence[str] = ()) -> Iterator[Troubled]:
    """Both servers, each on a free port, with one list of troubles."""
    state = Troubled(list(troubles))
    http = ThreadingHTTPServer(("127.0.0.1", 0), _http_handler(state))
    state.rest_address = f"http://127.0.0.1:{http.server_port}"
    pool = ThreadPoolExecutor(4)
    rpc = grpc.server(pool)
    service, method = METHOD
    handler = grpc.unary_unary_rpc_method_handler(_rpc(state), wire.GetModelStatusRequest.FromString, _serialized)
    rpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    state.grpc_address = f"127.0.0.1:{rpc.add_insecure_port('127.0.0.1:0')}"
    rpc.start()
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        http.shutdown()
        thread.join()
        http.server_close()
        rpc.stop(None).wait()
        pool.shutdown()


def _serialized(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content


def _rpc(state: Troubled) -> Any:
    def answer(_: Any, context: Any) -> Any:
        trouble = state.next(dict(context.invocation_metadata()))
        if trouble == "busy":
            context.abort(grpc.StatusCode.UNAVAILABLE, "the queue is full")
        if trouble == "broken":
            context.abort(grpc.StatusCode.INTERNAL, "a bug")
        if trouble == "slow":
            state.over.wait(30)
        rows = [wire.ModelVersionStatus(version=row.version, state=wire.ModelVersionStatus.State.ValueType(row.state)) for row in GOOD]
        return wire.GetModelStatusResponse(model_version_status=rows)

    return answer


def _http_handler(state: Troubled) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            trouble = state.next({name.lower(): value for name, value in self.headers.items()})
            if trouble == "lost":
                self.close_connection = True
            elif trouble == "slow":
                state.over.wait(30)
                self.close_connection = True
            elif trouble == "trickle":
                self._trickle()
            else:
                code, body = {"busy": (503, error_json("the queue is full")), "broken": (500, error_json("a bug"))}.get(
                    trouble, (200, status_json(GOOD))
                )
                self._answer(code, body.encode())

        def _answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _trickle(self) -> None:
            """An answer that takes ten seconds, and never pauses for long."""
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            for _ in range(1000):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    break
                if state.over.wait(0.01):
                    break
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
