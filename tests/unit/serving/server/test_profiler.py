"""The profiler service, passed on to a fake of TensorFlow's own server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.profiler import METHODS, SERVICE, Profiler


class Backend:
    """TensorFlow's profiler server: Profile echoes, Monitor has no answer, Terminate takes until its caller leaves."""

    def __init__(self) -> None:
        self.left, self.entered = threading.Event(), threading.Event()
        self.starts = 0
        methods = {
            "Profile": grpc.unary_unary_rpc_method_handler(lambda request, _: b"traced " + request),
            "Monitor": grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(grpc.StatusCode.INTERNAL, "no device")),
            "Terminate": grpc.unary_unary_rpc_method_handler(self._wait),
        }
        self.server = grpc.server(ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, methods)])
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def _wait(self, _: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(self.left.set)
        self.entered.set()
        self.left.wait(5)
        return b""

    def start(self) -> int:
        self.starts += 1
        return self.port


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.left.set()
    made.server.stop(0).wait()


class Front:
    """A server with the profiler service, and a client of it."""

    def __init__(self, profiler: Profiler) -> None:
        self.profiler, self.server = profiler, grpc.server(ThreadPoolExecutor(2))
        self.server.add_generic_rpc_handlers(profiler.handlers())
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def __enter__(self) -> Front:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        self.profiler.close()
        self.server.stop(0).wait()

    def call(self, name: str, request: bytes = b"", timeout: float | None = 5) -> bytes:
        return self.channel.unary_unary(f"/{SERVICE}/{name}")(request, timeout=timeout)

    def error(self, name: str, timeout: float = 5) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            self.call(name, timeout=timeout)
        return caught.value.code(), caught.value.details()


def test_bytes_go_through_and_the_server_is_started_once_and_late(backend):
    with Front(Profiler(start=backend.start)) as front:
        assert backend.starts == 0
        assert front.call("Profile", b"\x08\xff") == b"traced \x08\xff"
        assert front.call("Profile", b"", timeout=None) == b"traced "
        assert backend.starts == 1


def test_an_error_of_tensorflow_is_the_callers(backend):
    with Front(Profiler(start=backend.start)) as front:
        assert front.error("Monitor") == (grpc.StatusCode.INTERNAL, "no device")


def test_a_method_that_this_tensorflow_lacks_is_unimplemented(backend):
    with Front(Profiler(start=backend.start)) as front:
        assert front.error("GetSnapshot")[0] is grpc.StatusCode.UNIMPLEMENTED
        assert {"Profile", "Terminate", "Monitor"} < set(METHODS)


def test_a_caller_who_leaves_ends_the_profile(backend):
    with Front(Profiler(start=backend.start)) as front:
        call = front.channel.unary_unary(f"/{SERVICE}/Terminate").future(b"")
        assert backend.entered.wait(5)
        call.cancel()
        assert backend.left.wait(5)


def test_closing_ends_the_calls_under_way(backend):
    with Front(Profiler(start=backend.start)) as front:
        call = front.channel.unary_unary(f"/{SERVICE}/Terminate").future(b"")
        assert backend.entered.wait(5)
        front.profiler.close()
        assert call.exception(5).code() is grpc.StatusCode.CANCELLED


def test_a_tensorflow_that_cannot_profile_says_so_at_every_call():
    def start() -> int:
        raise StatusError(Code.UNIMPLEMENTED, "this TensorFlow has no profiler server")

    with Front(Profiler(start=start)) as front:
        for _ in range(2):
            assert front.error("Profile") == (grpc.StatusCode.UNIMPLEMENTED, "this TensorFlow has no profiler server")


def test_who_is_refused_starts_nothing(backend):
    refused = StatusError(Code.PERMISSION_DENIED, "not you")
    with Front(Profiler(guard=lambda _: refused, start=backend.start)) as front:
        assert front.error("Profile") == (grpc.StatusCode.PERMISSION_DENIED, "not you")
        assert backend.starts == 0
