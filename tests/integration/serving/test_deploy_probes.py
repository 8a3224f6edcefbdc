"""The gateway's probes, as its manifest says them, on a real gateway: before a model server is there, with it, and after it went."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from serving.deployment import shipped
from serving.launchers.readiness import wait_for
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.integration.serving.server_process import started
from tests.integration.serving.small_model import saved_model


@pytest.fixture(scope="module")
def probes() -> dict[str, str]:
    """Probe to path."""
    documents = yaml.safe_load_all((shipped.ROOT / "kubernetes/base/gateway.yaml").read_text(encoding="utf-8"))
    container = next(item for item in documents if item["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}


@contextmanager
def gateway_for(grpc_address: str, folder: Path) -> Iterator[str]:
    """The address of a gateway process before this model server."""
    config, ports = folder / "gateway.yaml", folder / "gateway.json"
    config.write_text(yaml.safe_dump({"port": 0, "upstreams": {"default": {"grpc": grpc_address}}}))
    with (folder / "gateway.log").open("w") as log:
        command = [sys.executable, "-m", "serving.gateway", "--config", str(config), "--ports-file", str(ports)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        port = wait_for(
            lambda: json.loads(ports.read_text())["http"] if ports.exists() else None,
            process.poll,
            what="the gateway listened",
            deadline_seconds=60,
            logs=(folder / "gateway.log").read_text,
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(60) == 0


def asked(address: str, probes: dict[str, str]) -> dict[str, bool]:
    """What each probe finds; Kubernetes takes 200 to 399 for a yes."""
    return {name: 200 <= httpx.get(f"{address}{path}", timeout=10).status_code < 400 for name, path in probes.items()}


def test_a_gateway_gets_traffic_once_it_reached_a_model_server_and_keeps_it_when_that_goes(tmp_path, probes):
    store = LocalStore(tmp_path / "store")
    store.publish("m", saved_model("plain"), Identity("run", "m"))
    flags = ("--port=0", "--rest_api_port=0", "--model_name=m", f"--model_base_path={tmp_path / 'store' / 'm'}")
    with started(tmp_path, *flags) as server, gateway_for(server.grpc_address, tmp_path) as address:

        def well() -> bool | None:
            return asked(address, probes) == {"startup": True, "readiness": True, "liveness": True} or None

        wait_for(well, server.process.poll, what="all probes were content", deadline_seconds=60)
        server.process.terminate()
        server.process.wait(60)
        assert asked(address, probes) == {"startup": False, "readiness": True, "liveness": True}


def test_a_gateway_that_reaches_no_model_server_gets_no_traffic(tmp_path, probes):
    with gateway_for("127.0.0.1:1", tmp_path) as address:
        assert asked(address, probes) == {"startup": False, "readiness": True, "liveness": True}
