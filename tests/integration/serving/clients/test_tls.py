"""TLS to our own server: authorities, client certificates, names; over every transport and style."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from configs.gateway import Tls
from serving.clients import ASYNC_CLIENTS, CLIENTS, connect, load
from serving.clients.options import Options
from serving.errors import Unavailable
from serving.launchers.readiness import wait_for
from tests.integration.serving.clients.certificates import Signed, make
from tests.integration.serving.clients.on_loop import opened
from tests.integration.serving.server_process import ServerProcess, started
from tests.integration.serving.small_model import saved_model

TRANSPORTS = (*CLIENTS, *ASYNC_CLIENTS)
COLUMNS = {"x": [1.0, 2.0], "n": [1, 2], "k": ["a", "b"]}


@dataclass(frozen=True)
class World:
    """A server that wants client certificates, and everybody's files. Its certificate is for models.example, not for the address."""

    server: ServerProcess
    authority: Signed
    other: Signed
    client: Signed

    @property
    def trusting(self) -> dict[str, Any]:
        return {"ca_file": str(self.authority.cert_file), "server_name": "models.example"}

    @property
    def known(self) -> dict[str, Any]:
        return {"cert_file": str(self.client.cert_file), "key_file": str(self.client.key_file)}

    def open(self, transport: str, tls: Tls | bool) -> Any:
        return opened(transport, self.server.rest_address.replace("http://", "https://"), self.server.grpc_address, Options(tls=tls))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = make(folder, "authority.example"), make(folder, "other.example")
    ours, client = make(folder, "models.example", authority), make(folder, "client.example", authority)

    def text(path: Path) -> str:
        return path.read_text().replace("\n", "\\n")

    (folder / "ssl.config").write_text(
        f'server_key: "{text(ours.key_file)}"\nserver_cert: "{text(ours.cert_file)}"\n'
        f'custom_ca: "{text(authority.cert_file)}"\nclient_verify: true\n'
    )
    base = folder / "models" / "m"
    shutil.copytree(saved_model("plain"), base / "1")
    flags = ["--port=0", "--rest_api_port=0", "--model_name=m", f"--model_base_path={base}", f"--ssl_config_file={folder / 'ssl.config'}"]
    rest = [f"--rest_ssl_cert_file={ours.cert_file}", f"--rest_ssl_key_file={ours.key_file}"]
    with started(folder, *flags, *rest, f"--rest_ssl_client_ca_file={authority.cert_file}") as server:
        yield World(server, authority, other, client)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_with_a_certificate_predicts(world, transport):
    with world.open(transport, Tls(**world.trusting, **world.known)) as client:
        exit_code = world.server.process.poll
        assert wait_for(lambda: client.live_version("m"), exit_code, what="version 1", deadline_seconds=120) == 1
        assert client.predict("m", COLUMNS)["y"].tolist() == [3.0, 6.0]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", ["no client certificate", "another authority", "another name", "the system's authorities"])
def test_who_does_not_trust_or_is_not_trusted_gets_no_answer(world, transport, what):
    tls = {
        "no client certificate": Tls(**world.trusting),
        "another authority": Tls(**world.trusting | {"ca_file": str(world.other.cert_file)}, **world.known),
        "another name": Tls(**world.trusting | {"server_name": "elsewhere.example"}, **world.known),
        "the system's authorities": True,
    }[what]
    with world.open(transport, tls) as client, pytest.raises(Unavailable) as caught:
        client.status("m", timeout=10)
    assert caught.value.code == "UNAVAILABLE"


def test_a_plain_client_gets_no_answer(world):
    for transport, address in (("rest", world.server.rest_address), ("grpc", world.server.grpc_address)):
        with load(transport)(address) as client, pytest.raises(Unavailable):
            client.status("m", timeout=10)


def test_connecting_by_address_takes_tls(world):
    tls = Tls(**world.trusting, **world.known)
    for address in (
        world.server.grpc_address,
        f"grpcs://{world.server.grpc_address}",
        world.server.rest_address.replace("http:", "https:"),
    ):
        with connect(address, tls=tls) as client:
            assert [row.version for row in client.status("m")] == [1]
