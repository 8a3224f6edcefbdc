"""The stack for Docker Compose: the shipped compose file, what its services read, and the values of this machine."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from configs.deployment import DeployConfig
from configs.errors import UsageError
from configs.gateway import GatewayConfig
from serving.deployment import shipped
from serving.deployment.server_files import SSL

# The images' own user; whoever is no root runs the containers as himself, so that they can read what he wrote.
IMAGES_USER = (10001, 10001)
SERVER_SECRETS = "server-secrets"


def container_user() -> tuple[int, int]:
    """User and group of the containers that read this machine's files."""
    return IMAGES_USER if os.geteuid() == 0 else (os.geteuid(), os.getegid())


def project(deploy: DeployConfig, gateway: GatewayConfig, store: Path, config: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path to content of a folder for ``docker compose up``.

    Args:
        store: the version store of this machine.
        config: file name to content, for the model server and the gateway.

    Raises:
        UsageError: a value cannot be written into an environment file.
    """
    files = shipped.tree("compose.yaml", "traefik", "prometheus", "grafana")
    # Whoever answers to strangers must not hold the model server's private key.
    files |= {f"{SERVER_SECRETS if name == SSL else 'config'}/{name}": data for name, data in config.items()}
    files[f"{SERVER_SECRETS}/.gitignore"] = b"# The model server's private key, if it has one. It is nobody else's.\n*\n"
    files["secrets/.gitignore"] = b"# What the configuration names lies here: digests of API keys, certificates. It is nobody else's.\n*\n"
    files[".env"] = _environment(deploy, gateway, store, tls=SSL in config)
    return files


def _environment(deploy: DeployConfig, gateway: GatewayConfig, store: Path, *, tls: bool) -> bytes:
    compose = deploy.compose
    user, group = container_user()
    values = {
        "SLUICEWAY_ADDRESS": compose.address,
        "SLUICEWAY_PORT": compose.port,
        "SLUICEWAY_DASHBOARDS_PORT": compose.dashboards_port,
        "SLUICEWAY_STORE": store,
        "SLUICEWAY_CONFIG": "./config",
        "SLUICEWAY_SECRETS": "./secrets",
        "SLUICEWAY_SERVER_SECRETS": f"./{SERVER_SECRETS}",
        "SLUICEWAY_USER": f"{user}:{group}",
        "SLUICEWAY_SSL_CONFIG": f"/etc/model-server-tls/{SSL}" if tls else "",
        "SLUICEWAY_GATEWAY_STOP": f"{math.ceil(gateway.limits.drain_seconds) + 5}s",
        "MODEL_SERVER_IMAGE": deploy.model_server.image,
        "GATEWAY_IMAGE": deploy.gateway.image,
        "TRAEFIK_IMAGE": compose.traefik,
        "PROMETHEUS_IMAGE": compose.prometheus,
        "GRAFANA_IMAGE": compose.grafana,
    }
    lines = ["# Written by sluiceway deploy render: this machine's values for compose.yaml."]
    for name, value in values.items():
        if set(text := str(value)) & set("'\\\n\r"):
            raise UsageError(f"{text!r} cannot stand in an environment file: {name}; choose a path without quotes and backslashes")
        lines.append(f"{name}='{text}'")
    return ("\n".join(lines) + "\n").encode()
