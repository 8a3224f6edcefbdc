"""Health, as a pure table and over a real channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from serving.protocol import wire_pb2 as wire
from serving.server.health import SERVICE, Health, status_of

Status = wire.HealthCheckResponse
FULL = "tensorflow.serving.PredictionService"


class FakeView:
    """Models whose readiness a test decides."""

    def __init__(self, **ready: bool) -> None:
        self._changed = threading.Condition()
        self._ready, self._changes, self._followed = ready, 0, -1

    def configured(self) -> list[str]:
        return list(self._ready)

    def ready(self, model: str) -> bool:
        return self._ready[model]

    def become(self, **ready: bool) -> None:
        with self._changed:
            self._ready |= ready
            self._changes += 1
            self._changed.notify_all()

    def wait_for_change(self, seen: int, timeout: float | None = None) -> int:
        with self._changed:
            self._followed = seen
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._changes != seen, timeout)
            return self._changes

    def wait_until_followed(self) -> None:
        """Until whoever waits for changes has seen, and told, all there were."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._followed == self._changes, 5)


@pytest.mark.parametrize(
    ("service", "ready", "draining", "expected"),
    [
        ("", {"a": True, "b": True}, False, Status.SERVING),
        ("", {"a": True, "b": False}, False, Status.NOT_SERVING),
        ("", {"a": True}, True, Status.NOT_SERVING),
        ("", {}, False, Status.SERVING),
        (FULL, {"a": True}, False, Status.SERVING),
        ("PredictionService", {"a": False}, False, Status.NOT_SERVING),
        ("tensorflow.serving.ModelService", {"a": False}, False, Status.NOT_SERVING),
        ("ModelService", {"a": True}, False, Status.SERVING),
        ("a", {"a": True, "b": False}, False, Status.SERVING),
        ("b", {"a": True, "b": False}, False, Status.NOT_SERVING),
        ("a", {"a": True}, True, Status.NOT_SERVING),
        ("c", {"a": True}, False, None),
    ],
)
def test_health_follows_the_models(service, ready, draining, expected):
    view = FakeView(**ready)
    assert status_of(service, view, view.configured(), draining=draining) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [("", Status.SERVING), ("PredictionService", Status.SERVING), ("ModelService", Status.SERVING), (FULL, None), ("a", None)],
)
def test_strict_health_is_three_fixed_names(service, expected):
    assert status_of(service, FakeView(a=False), ["a"], draining=True, strict=True) == expected


class Client:
    """Speaks to a health service on a port of its own."""

    def __init__(self, health: Health, threads: int = 2) -> None:
        self.server = grpc.server(ThreadPoolExecutor(threads))
        self.server.add_generic_rpc_handlers(health.handlers())
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def check(self, service: str) -> int:
        call = self.channel.unary_unary(f"/{SERVICE}/Check", _bytes, wire.HealthCheckResponse.FromString)
        return call(wire.HealthCheckRequest(service=service), timeout=5).status

    def watch(self, service: str) -> Any:
        call = self.channel.unary_stream(f"/{SERVICE}/Watch", _bytes, wire.HealthCheckResponse.FromString)
        return call(wire.HealthCheckRequest(service=service), timeout=5)


def _bytes(message: Any) -> bytes:
    return message.SerializeToString()


@pytest.fixture
def served() -> Iterator[tuple[FakeView, Health, Client]]:
    view = FakeView(a=True)
    health = Health(view, view.configured)
    client = Client(health)
    yield view, health, client
    health.drain()
    client.channel.close()
    client.server.stop(0).wait()


def test_check_tells_an_unknown_name_from_one_that_is_not_ready(served):
    view, _, client = served
    assert client.check("a") == Status.SERVING
    view.become(a=False)
    assert client.check("a") == Status.NOT_SERVING
    with pytest.raises(grpc.RpcError) as caught:
        client.check("b")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "b: no such service, and no model of that name"


def test_a_stream_tells_each_change_once_and_ends_with_the_server(served):
    view, health, client = served
    stream = client.watch("")
    assert next(stream).status == Status.SERVING
    view.become(a=True)  # a change of something else
    view.wait_until_followed()
    view.become(a=False)
    assert next(stream).status == Status.NOT_SERVING
    view.become(a=True)
    assert next(stream).status == Status.SERVING
    health.drain()
    assert [answer.status for answer in stream] == [Status.NOT_SERVING]


def test_a_stream_for_a_name_that_does_not_exist_yet_waits_for_it(served):
    view, _, client = served
    stream = client.watch("b")
    assert next(stream).status == Status.SERVICE_UNKNOWN
    view.become(b=True)
    assert next(stream).status == Status.SERVING


def test_streams_hold_no_thread_of_the_server(served):
    _, _, client = served
    streams = [client.watch("a") for _ in range(10)]
    assert [next(stream).status for stream in streams] == [Status.SERVING] * 10
    assert client.check("a") == Status.SERVING


def test_a_client_that_left_is_forgotten(served):
    _, health, client = served
    stream = client.watch("a")
    next(stream)
    stream.cancel()
    deadline = time.monotonic() + 5
    while health._streams and time.monotonic() < deadline:
        time.sleep(0.005)
    assert health._streams == []


def test_a_stream_opened_while_draining_says_so_and_ends(served):
    _, health, client = served
    health.drain()
    assert [answer.status for answer in client.watch("a")] == [Status.NOT_SERVING]


def test_a_broken_stream_leaves_the_others_with_news(served, caplog):
    view, health, client = served

    def broken(_: object) -> None:
        raise ValueError("gone")

    stream = client.watch("a")
    next(stream)
    health._streams[0].send, kept = broken, health._streams[0].send
    other = client.watch("a")
    next(other)
    view.become(a=False)
    assert next(other).status == Status.NOT_SERVING
    assert "health stream of 'a' failed" in caplog.text
    kept(None)
