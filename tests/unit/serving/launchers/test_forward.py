"""Local ports that lead to a pod, kept open by a program called kubectl."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from serving.errors import LaunchError
from serving.launchers.forward import Forward
from serving.launchers.target import Target

TARGET = Target("kubernetes", "image", namespace="ml", context="prod")


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A program of that name: keeps its arguments, says what the test wants, and ends or stays."""

    def write(body: str) -> Path:
        program = tmp_path / "kubectl"
        keep = f"open({str(tmp_path / 'calls')!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))"
        program.write_text(f"#!{sys.executable}\nimport sys, time\n{keep}\n{body}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path / "calls"

    return write


@pytest.fixture
def forward():
    opened = Forward(TARGET, "pod-1")
    yield opened
    opened.close()


def calls(path: Path, count: int, ask: Forward) -> list[str]:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        ask.addresses()
        if path.exists() and len(lines := path.read_text(encoding="utf-8").splitlines()) >= count:
            return lines
        time.sleep(0.02)
    raise AssertionError("kubectl was not called")


def test_both_ports_lead_to_the_pod(forward, kubectl):
    path = kubectl("time.sleep(60)")
    rest, grpc = (address.rpartition(":")[2] for address in forward.addresses())
    (line,) = calls(path, 1, forward)
    assert line == f"--context=prod --namespace=ml port-forward --address=127.0.0.1 pod/pod-1 {rest}:8501 {grpc}:8500"


def test_a_forwarder_that_ended_is_started_again_on_the_same_ports(forward, kubectl):
    path = kubectl("sys.exit('error: lost connection to pod')")
    first, second = calls(path, 2, forward)[:2]
    assert first == second


def test_a_forwarder_that_may_not_is_told(forward, kubectl):
    path = kubectl("sys.exit('error: pods is forbidden')")
    with pytest.raises(LaunchError, match="kubectl port-forward: error: pods is forbidden"):
        calls(path, 2, forward)


def test_without_kubectl_it_is_told(forward, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="kubectl is not on PATH"):
        forward.addresses()
