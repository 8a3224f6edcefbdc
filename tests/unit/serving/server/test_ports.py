"""Ports are wanted, held for several processes, and told in one piece."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from configs.errors import SluicewayError
from serving.server.flags import Flags
from serving.server.listeners import listening_socket
from serving.server.ports import Ports, announce, ports_of, reserved

TOLD = Path("ports.json")


@pytest.mark.parametrize(
    ("flags", "ports"),
    [
        (Flags(), Ports(8500, None)),
        (Flags(port=0), Ports(None, None)),
        (Flags(port=1, rest_api_port=2), Ports(1, 2)),
        (Flags(port=0, rest_api_port=2), Ports(None, 2)),
        (Flags(port=0, ports_file=TOLD), Ports(0, 0)),
        (Flags(port=1, rest_api_port=2, ports_file=TOLD), Ports(1, 2)),
        (Flags(port=7, rest_api_port=7, ports_file=TOLD), Ports(7, None)),
    ],
)
def test_which_ports_are_wanted(flags, ports):
    assert ports_of(flags) == ports


def test_a_rest_port_that_is_the_one_of_grpc_is_off_and_said_to_be(caplog):
    assert ports_of(Flags(port=7, rest_api_port=7)) == Ports(7, None)
    assert caplog.messages == ["REST is off: --rest_api_port=7 is the port of gRPC"]


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1"])
def test_a_held_port_can_be_shared_and_takes_no_connection_itself(bind):
    with reserved(bind, Ports(0, 0)) as ports:
        assert ports.grpc
        assert ports.rest
        assert ports.grpc != ports.rest
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((bind, ports.rest), timeout=5)
        with listening_socket(bind, ports.rest, share=True), listening_socket(bind, ports.rest, share=True):
            socket.create_connection((bind, ports.rest), timeout=5).close()


def test_a_held_port_is_refused_to_a_server_that_does_not_share_it():
    with reserved("127.0.0.1", Ports(0, None)) as ports, listening_socket("127.0.0.1", ports.grpc or 0, share=True):
        assert ports.rest is None
        with pytest.raises(SluicewayError, match=f"cannot listen on 127.0.0.1:{ports.grpc} for REST: Address already in use"):
            listening_socket("127.0.0.1", ports.grpc)


@pytest.mark.parametrize("share", [False, True])
def test_a_port_that_another_server_listens_on_cannot_be_held(share):
    with listening_socket("127.0.0.1", 0, share=share) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SluicewayError, match=f"^cannot listen on 127.0.0.1:{port}: Address already in use$"),
            reserved("127.0.0.1", Ports(0, port)),
        ):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="not on this stack: there are no abstract names here")
def test_two_servers_cannot_hold_one_port_even_before_they_listen():
    with (
        reserved("127.0.0.1", Ports(0, None)) as first,
        pytest.raises(SluicewayError, match="Address already in use"),
        reserved("127.0.0.1", first),
    ):
        pass


def test_ports_are_free_again_at_the_end():
    with reserved("127.0.0.1", Ports(0, 0)) as ports:
        pass
    with reserved("127.0.0.1", ports) as again:
        assert again == ports


def test_ports_are_told_in_one_piece(tmp_path):
    announce(tmp_path / "ports", Ports(1, None))
    assert json.loads((tmp_path / "ports").read_text()) == {"grpc": 1, "rest": None, "pid": os.getpid()}
    announce(tmp_path / "ports", Ports(1, 2))
    assert json.loads((tmp_path / "ports").read_text())["rest"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["ports"]


def test_a_full_disk_leaves_no_partial_file_behind(tmp_path, monkeypatch):
    def full(self: Path, *_: object, **__: object) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SluicewayError, match="cannot be written: No space left on device"):
        announce(tmp_path / "ports", Ports(1, 2))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(SluicewayError, match=f"--ports_file={tmp_path}/no/ports cannot be written: No such file or directory"):
        announce(tmp_path / "no" / "ports", Ports(1, 2))
