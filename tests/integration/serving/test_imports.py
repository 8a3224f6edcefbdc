"""Clients, protocol and launchers come without TensorFlow; the REST client without gRPC and protobuf too."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "import sys; import {module}; print(*sys.modules)"


def loaded_by(module: str) -> set[str]:
    result = subprocess.run([sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("serving.clients", {"tensorflow", "grpc", "httpx", "numpy"}),
        ("serving.clients.rest", {"tensorflow", "grpc", "google.protobuf"}),
        ("serving.clients.grpc", {"tensorflow", "httpx"}),
        ("serving.launchers", {"tensorflow", "grpc", "httpx", "psutil", "docker", "kubernetes"}),
        ("serving.launchers.embedded", {"tensorflow", "grpc"}),
        ("serving.launchers.binary", {"tensorflow", "grpc", "docker", "kubernetes"}),
        ("serving.launchers.docker", {"tensorflow", "grpc", "kubernetes"}),
        ("serving.launchers.kubernetes", {"tensorflow", "grpc", "docker"}),
        ("serving.launchers.supervisor", {"tensorflow", "grpc", "httpx", "numpy", "psutil"}),
        ("serving.launchers.reaper", {"tensorflow", "grpc", "httpx", "numpy", "docker", "kubernetes"}),
        ("serving.protocol.tensors", {"tensorflow"}),
        ("serving.protocol.examples", {"tensorflow"}),
        ("serving.protocol.predict", {"tensorflow", "google.protobuf"}),
        ("serving.protocol.metadata", {"tensorflow", "google.protobuf"}),
        ("serving.server.__main__", {"tensorflow", "grpc", "uvicorn"}),
        ("serving.server.lifecycle", {"tensorflow"}),
    ],
)
def test_importing(module, absent):
    assert loaded_by(module).isdisjoint(absent)
