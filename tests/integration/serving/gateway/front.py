"""A gateway as a process, on a configuration that the test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from serving.launchers.readiness import wait_for
from tests.integration.serving.contract.clients import Rest


@dataclass(frozen=True)
class Front:
    """A running gateway. ``file``: its configuration; ``log``: what it prints."""

    process: subprocess.Popen[str]
    address: str
    file: Path
    log: Path

    @property
    def rest(self) -> Rest:
        """Plain HTTP, each request on a connection of its own."""
        return Rest(self.address)

    def http(self, **options: Any) -> httpx.Client:
        """A client that keeps its connections."""
        return httpx.Client(base_url=self.address, trust_env=False, timeout=60, **options)

    def lines(self) -> list[dict[str, Any]]:
        """The access log."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a counter over all whose labels are these."""
        found = 0.0
        for line in self.rest.get("/metrics").text.splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and all(f'{label}="{text}"' in head for label, text in labels.items()):
                found += float(value)
        return found

    def put_in_force(self, config: Mapping[str, Any]) -> None:
        """Write another configuration and wait until it is followed."""
        before = self.metric("sluiceway_gateway_config_reloads_total", result="ok")
        write(self.file, config)
        wait_for(
            lambda: self.metric("sluiceway_gateway_config_reloads_total", result="ok") > before or None,
            self.process.poll,
            what="the configuration was in force",
            deadline_seconds=30,
            logs=self.log.read_text,
        )

    def end(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)


def write(file: Path, config: Mapping[str, Any]) -> None:
    """In one step, as a careful writer does."""
    partial = file.with_suffix(".partial")
    partial.write_text(yaml.safe_dump({"port": 0, **config}), encoding="utf-8")
    partial.replace(file)


def upstream(address: str) -> dict[str, Any]:
    """The part of a configuration that names one server."""
    return {"upstreams": {"default": {"grpc": address}}}


@contextmanager
def gateway(folder: Path, config: Mapping[str, Any], **environment: str) -> Iterator[Front]:
    """A gateway with this configuration, killed at the end if it still runs."""
    folder.mkdir(parents=True, exist_ok=True)
    file, log, ports = folder / "gateway.yaml", folder / "gateway.log", folder / "gateway.json"
    write(file, config)
    with log.open("w") as sink:
        command = [sys.executable, "-m", "serving.gateway", f"--config={file}", f"--ports-file={ports}"]
        process = subprocess.Popen(command, stdout=sink, stderr=sink, text=True, env={**os.environ, **environment})
    try:
        wait_for(lambda: ports.exists() or None, process.poll, what="it listened", deadline_seconds=60, logs=log.read_text)
        yield Front(process, f"http://127.0.0.1:{json.loads(ports.read_text())['http']}", file, log)
    finally:
        process.kill()
        process.wait()
