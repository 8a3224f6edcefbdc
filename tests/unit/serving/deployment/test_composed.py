"""The folder for Docker Compose: this machine's values in .env, and nothing that a shell or compose would read otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from configs.deployment import Compose, DeployConfig, ModelServers
from configs.errors import UsageError
from configs.gateway import GatewayConfig, Limits
from serving.deployment import composed
from serving.deployment.composed import project


def values(files):
    lines = files[".env"].decode().splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines if not line.startswith("#"))}


def test_it_has_all_that_the_services_read():
    files = project(DeployConfig(), GatewayConfig(), Path("/store"), {"gateway.yaml": b"x", "models.config": b"y"})
    assert files["config/models.config"] == b"y"
    assert {"compose.yaml", "traefik/traefik.yaml", "prometheus/prometheus.yaml", "grafana/dashboards/sluiceway.json"} <= set(files)
    assert "secrets/.gitignore" in files


def test_this_machine_s_values_are_in_the_environment_file():
    deploy = DeployConfig(compose=Compose(address="0.0.0.0", port=80), model_server=ModelServers(image="sluiceway/server:0.1.0"))
    found = values(project(deploy, GatewayConfig(limits=Limits(drain_seconds=2.5)), Path("/a/my store"), {}))
    assert found["SLUICEWAY_STORE"] == "/a/my store"
    assert (found["SLUICEWAY_ADDRESS"], found["SLUICEWAY_PORT"]) == ("0.0.0.0", "80")
    assert found["MODEL_SERVER_IMAGE"] == "sluiceway/server:0.1.0"
    assert found["SLUICEWAY_GATEWAY_STOP"] == "8s"
    assert found["SLUICEWAY_SSL_CONFIG"] == ""


def test_tls_is_on_when_its_file_is_there():
    found = values(project(DeployConfig(), GatewayConfig(), Path("/store"), {"ssl.config": b"key"}))
    assert found["SLUICEWAY_SSL_CONFIG"] == "/etc/model-server-tls/ssl.config"


@pytest.mark.parametrize(("user", "expected"), [(0, "10001:10001"), (1000, "1000:1000")])
def test_containers_run_as_who_wrote_the_files_and_never_as_root(monkeypatch, user, expected):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "getegid", lambda: user)
    assert values(project(DeployConfig(), GatewayConfig(), Path("/store"), {}))["SLUICEWAY_USER"] == expected
    assert composed.container_user()[0] != 0


def test_a_path_that_would_end_its_own_quotes_is_refused():
    with pytest.raises(UsageError, match="cannot stand in an environment file"):
        project(DeployConfig(), GatewayConfig(), Path("/it's"), {})
