"""The gateway's own configuration file, as it reads inside a container: our configuration with the container's addresses and paths."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml
from msgspec import Struct, to_builtins
from msgspec.structs import fields, replace

from configs.errors import UsageError
from configs.gateway import GatewayConfig, Upstream

GATEWAY = "gateway.yaml"
PORT = 8080
MODEL_SERVER = "model-server:8500"
STORE = "/models"
SECRETS = "/etc/sluiceway-secrets"


def in_container(gateway: GatewayConfig, *, store: str | None = STORE, behind_proxy: bool = False) -> GatewayConfig:
    """The configuration of a gateway that stands before the model servers of a stack.

    What points to this machine points to the stack instead, and files that are named are expected below SECRETS, under their own names.

    Args:
        store: where the version store is mounted; None: nowhere.
        behind_proxy: a proxy of ours, and nobody else, shares a network with it: what it says of the client is believed.

    Raises:
        UsageError: two files have one name.
    """
    names = [PurePath(path).name for path in dict.fromkeys(named_files(gateway).values())]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"gateway: two files are called {doubled[0]}; in a container they lie in one folder: give them names of their own")
    keys, jwt = gateway.keys, gateway.jwt
    return replace(
        gateway,
        host="0.0.0.0",
        port=PORT,
        upstreams={name: _upstream(upstream) for name, upstream in gateway.upstreams.items()},
        store=store,
        keys=keys and replace(keys, file=_moved(keys.file)),
        jwt=jwt and replace(jwt, key_file=_moved(jwt.key_file)),
        trusted_proxies=gateway.trusted_proxies or (["*"] if behind_proxy else []),
    )


def named_files(gateway: GatewayConfig) -> Mapping[str, str]:
    """Key to path of every file that a configuration names."""
    found = {
        "gateway.keys.file": gateway.keys.file if gateway.keys else None,
        "gateway.jwt.key_file": gateway.jwt.key_file if gateway.jwt else None,
    }
    for name, upstream in gateway.upstreams.items():
        if upstream.tls is not None:
            parts = {"ca_file": upstream.tls.ca_file, "cert_file": upstream.tls.cert_file, "key_file": upstream.tls.key_file}
            found |= {f"gateway.upstreams.{name}.tls.{part}": path for part, path in parts.items()}
    return {key: path for key, path in found.items() if path}


def gateway_yaml(gateway: GatewayConfig) -> str:
    """The file: what differs from the defaults, and where it listens and asks."""
    default = GatewayConfig()
    content = {key.name: getattr(gateway, key.name) for key in fields(gateway)}
    told = {key: _given(value) for key, value in content.items() if value != getattr(default, key) or key in ("host", "port", "upstreams")}
    head = "# Written by sluiceway. The gateway follows this file without a restart; configs/gateway.py explains every key.\n"
    return head + yaml.safe_dump(told, sort_keys=False, default_flow_style=False, allow_unicode=True, width=140)


def _given(value: Any) -> Any:
    """As YAML holds it, without the keys that are null where null is what they are when nothing is said."""
    if isinstance(value, Struct):
        parts = {key.name: (getattr(value, key.name), key.default) for key in fields(value)}
        return {name: _given(part) for name, (part, default) in parts.items() if part is not None or default is not None}
    if isinstance(value, dict):
        return {key: _given(part) for key, part in value.items()}
    return [_given(part) for part in value] if isinstance(value, list) else to_builtins(value)


def _upstream(upstream: Upstream) -> Upstream:
    host = upstream.grpc.rpartition(":")[0].strip("[]")
    tls = upstream.tls
    moved = tls and replace(tls, ca_file=_moved(tls.ca_file), cert_file=_moved(tls.cert_file), key_file=_moved(tls.key_file))
    return replace(upstream, grpc=MODEL_SERVER if _this_machine(host) else upstream.grpc, tls=moved)


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _moved(path: str | None) -> str | None:
    return f"{SECRETS}/{PurePath(path).name}" if path else path
