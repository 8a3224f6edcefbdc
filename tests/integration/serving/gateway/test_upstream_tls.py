"""TLS to the model server, with certificates on both sides, renewed while the gateway runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from serving.launchers.readiness import wait_for
from tests.integration.serving.clients.certificates import Signed, make
from tests.integration.serving.contract.zoo import zoo
from tests.integration.serving.gateway.front import Front, gateway
from tests.integration.serving.server_process import running

ROW = '{"instances": [1.0]}'


def until(front: Front, what: str, holds: Any) -> None:
    wait_for(lambda: holds() or None, front.process.poll, what=what, deadline_seconds=60, logs=front.log.read_text)


class World:
    """A server that wants client certificates; its own is for models.example, not for its address."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.other = make(folder, "authority.example"), make(folder, "other.example")
        self.server, self.client = make(folder, "models.example", self.authority), make(folder, "client.example", self.authority)
        (folder / "ssl.config").write_text(
            f'server_key: "{_text(self.server.key_file)}"\nserver_cert: "{_text(self.server.cert_file)}"\n'
            f'custom_ca: "{_text(self.authority.cert_file)}"\nclient_verify: true\n'
        )
        self.flags = (f"--ssl_config_file={folder / 'ssl.config'}", "--rest_api_port=0")

    def tls(self, authority: Signed, **changes: object) -> dict[str, object]:
        whole = {
            "ca_file": str(authority.cert_file),
            "server_name": "models.example",
            "cert_file": str(self.client.cert_file),
            "key_file": str(self.client.key_file),
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}


def _text(path: Path) -> str:
    return path.read_text().replace("\n", "\\n")


def test_tls_with_certificates_on_both_sides(tmp_path):
    world, base, scratch = World(tmp_path), tmp_path / "m", tmp_path / "server"
    shutil.copytree(zoo() / "half_plus_two", base / "1")
    scratch.mkdir()

    def config(tls: dict[str, object] | None) -> dict[str, Any]:
        return {"upstreams": {"default": {"grpc": server.grpc_address, **({"tls": tls} if tls else {})}}, "breaker": {"open_seconds": 0.1}}

    with running(base, scratch, *world.flags) as server, gateway(tmp_path / "front", config(world.tls(world.authority))) as front:
        until(front, "it answered", lambda: front.rest.predict("m", ROW).status == 200)
        for wrong in (
            None,
            world.tls(world.other),
            world.tls(world.authority, server_name=None),
            world.tls(world.authority, cert_file=None, key_file=None),
        ):
            front.put_in_force(config(wrong))
            assert front.rest.predict("m", ROW).status in (503, 504)
        front.put_in_force(config(world.tls(world.authority)))
        until(front, "it answered again", lambda: front.rest.predict("m", ROW).status == 200)
        # Of a pair that is being renewed, one file is there before the other.
        before = front.metric("sluiceway_gateway_config_reloads_total", result="refused")
        key = world.client.key_file.read_text()
        world.client.key_file.write_text(world.other.key_file.read_text())
        until(front, "it was refused", lambda: front.metric("sluiceway_gateway_config_reloads_total", result="refused") > before)
        assert front.rest.predict("m", ROW).status == 200
        world.client.key_file.write_text(key)
        # An authority that is renewed in its file is followed without a change of the configuration.
        before = front.metric("sluiceway_gateway_config_reloads_total", result="ok")
        good = world.authority.cert_file.read_text()
        world.authority.cert_file.write_text(world.other.cert_file.read_text())
        until(front, "it was read again", lambda: front.metric("sluiceway_gateway_config_reloads_total", result="ok") > before)
        assert front.rest.predict("m", ROW).status == 503
        world.authority.cert_file.write_text(good)
        until(front, "it answered once more", lambda: front.rest.predict("m", ROW).status == 200)
