"""Ports open, answer, and close without cutting a request off. No TensorFlow: the model is a fake that waits for the test."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from configs.errors import SluicewayError
from serving.clients import load
from serving.clients.base import PredictClient
from serving.errors import Unavailable
from serving.server.listeners import GrpcSettings, Listeners, RestSettings
from serving.server.models import Models
from tests.fakes.core import listen
from tests.fakes.servable import FakeServable, double


class Gate:
    """A graph that says when a request is inside and keeps it there until it may leave."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()

    def __call__(self, feeds):
        self.entered.set()
        assert self.leave.wait(10)
        return double(feeds)


def client_of(transport: str, listeners: Listeners) -> PredictClient:
    return load(transport)(f"127.0.0.1:{vars(listeners)[transport].port}")


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_a_request_under_way_is_answered_while_new_ones_are_turned_away(transport):
    gate, models = Gate(), Models()
    models.load("m", 1, lambda: FakeServable(graph=gate))
    listeners = listen(models)
    with client_of(transport, listeners) as client, ThreadPoolExecutor(2) as pool:
        client.metadata("m")
        answer = pool.submit(client.predict, "m", {"x": [1.0]})
        assert gate.entered.wait(10)
        stopping = pool.submit(listeners.stop, 10)
        wait_until_refused(vars(listeners)[transport].port)
        gate.leave.set()
        np.testing.assert_array_equal(answer.result(10)["y"], [2])
        stopping.result(15)
    with client_of(transport, listeners) as late, pytest.raises(Unavailable):
        late.status("m", timeout=5)


def wait_until_refused(port: int) -> None:
    """Until the port no longer takes connections. Each look is itself an event of the kernel, so nothing is slept on."""
    for _ in range(200_000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
    raise AssertionError("the port still takes connections")


def test_a_taken_port_is_one_clear_error():
    models = Models()
    listeners = listen(models)
    try:
        for ports in ({"grpc": GrpcSettings(port=listeners.ports.grpc)}, {"rest": RestSettings(port=listeners.ports.rest)}):
            with pytest.raises(SluicewayError, match=r"cannot listen on 127.0.0.1:\d+"):
                listen(models, both=False, **ports)
    finally:
        listeners.stop(1)


def test_answers_are_not_held_back_by_nagles_algorithm():
    listeners = listen(Models())
    try:
        # asyncio switches it off only where the socket says that it speaks TCP.
        assert listeners.rest._socket.proto == socket.IPPROTO_TCP
    finally:
        listeners.stop(1)
