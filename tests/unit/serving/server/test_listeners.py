"""Ports open, answer, and close without cutting a request off. No TensorFlow: the model is a fake that waits for the test."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from configs.errors import SluicewayError
from serving.clients import load
from serving.clients.base import PredictClient
from serving.errors import Unavailable
from serving.server import tls
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
            with pytest.raises(SluicewayError, match=r"^cannot listen on 127.0.0.1:\d+ for (gRPC|REST): Address already in use$"):
                listen(models, both=False, **ports)
    finally:
        listeners.stop(1)


def test_an_address_of_another_machine_is_refused_with_the_systems_reason():
    with pytest.raises(SluicewayError, match=r"^cannot listen on 192.0.2.1:\d+ for gRPC: Cannot assign requested address$"):
        listen(Models(), both=False, grpc=GrpcSettings(bind="192.0.2.1"))


def test_an_address_that_is_none_is_refused_with_the_systems_reason():
    with pytest.raises(SluicewayError, match=r"^cannot listen on 999.1.1.1:0 for gRPC: ") as caught:
        listen(Models(), both=False, grpc=GrpcSettings(bind="999.1.1.1"))
    with pytest.raises(socket.gaierror) as expected:
        socket.getaddrinfo("999.1.1.1", 0)
    assert str(caught.value).endswith(f": {expected.value.strerror}")


def test_credentials_that_do_not_work_here_are_told_from_a_taken_port():
    with pytest.raises(SluicewayError, match=r"for gRPC: its credentials do not work on this machine \(ALTS does on Google Cloud only\)$"):
        listen(Models(), both=False, grpc=GrpcSettings(credentials=tls.alts_credentials()))


@pytest.mark.parametrize(("path", "reason"), [("no/socket", "No such file or directory"), ("s" * 200, "AF_UNIX path too long")])
def test_a_socket_file_that_cannot_be_made_is_refused_with_the_systems_reason(tmp_path, path, reason):
    with pytest.raises(SluicewayError, match=f"^cannot listen on unix:{tmp_path}/{path} for gRPC: {reason}$"):
        listen(Models(), both=False, grpc=GrpcSettings(port=None, socket_path=f"{tmp_path}/{path}"))
    assert not list(tmp_path.iterdir())


def test_a_socket_on_which_a_server_listens_is_not_taken_from_it_unless_asked_for(tmp_path):
    settings = GrpcSettings(port=None, socket_path=f"{tmp_path}/s")
    first = listen(Models(), both=False, grpc=settings)
    try:
        with pytest.raises(SluicewayError, match=f"^cannot listen on unix:{tmp_path}/s for gRPC: another server listens there$"):
            listen(Models(), both=False, grpc=settings)
        listen(Models(), both=False, grpc=replace(settings, steal_socket=True)).stop(1)
    finally:
        first.stop(1)


def test_a_socket_whose_callers_stand_in_line_has_a_server(tmp_path):
    settings = GrpcSettings(port=None, socket_path=f"{tmp_path}/s")
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as caller:
        busy.bind(settings.socket_path)
        busy.listen(0)
        caller.connect(settings.socket_path)
        with pytest.raises(SluicewayError, match="another server listens there"):
            listen(Models(), both=False, grpc=settings)


def test_a_socket_that_nobody_listens_on_any_more_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/s")
    listen(Models(), both=False, grpc=GrpcSettings(port=None, socket_path=f"{tmp_path}/s")).stop(1)


def test_answers_are_not_held_back_by_nagles_algorithm():
    listeners = listen(Models())
    try:
        # asyncio switches it off only where the socket says that it speaks TCP.
        assert listeners.rest._socket.proto == socket.IPPROTO_TCP
    finally:
        listeners.stop(1)
