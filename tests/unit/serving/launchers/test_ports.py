"""A reserved port is ours: a server may listen there, nobody else is given it."""

from __future__ import annotations

import socket

import pytest

from serving.launchers.ports import HOST, ReservedPorts


@pytest.fixture
def ports():
    ports = ReservedPorts()
    yield ports
    ports.close()


def test_nobody_answers_until_a_server_listens(ports):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, ports.rest), timeout=1)
    with socket.create_server((HOST, ports.rest)), socket.create_connection((HOST, ports.rest), timeout=1):
        pass


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
def test_a_server_on_every_interface_may_listen_there_too(ports, option):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        server.bind(("", ports.grpc))
        server.listen()
        socket.create_connection((HOST, ports.grpc), timeout=1).close()


def test_a_program_that_takes_any_free_port_is_not_given_it(ports):
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind((HOST, ports.rest))
    taken = []
    for _ in range(200):
        taken.append(ReservedPorts())
    numbers = [number for other in [ports, *taken] for number in (other.rest, other.grpc)]
    for other in taken:
        other.close()
    assert len(set(numbers)) == len(numbers)
