"""What the page's tests stand on: a store with a history, a model server with every version of every model, gateways before it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from serving.launchers.readiness import wait_for
from serving.store import history
from serving.store.history import LEDGER, Event
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from serving.verdict import Reason, Verdict
from tests.e2e.command import ROOT
from tests.integration.serving import server_process

# Nothing answers on the discard port of this machine, and nothing can be reached faster than that.
NOBODY = "127.0.0.1:9"
LOAD_SECONDS = 120
MODELS = {"leaves": 2, "sticks": 1, "tips": 2, "trips": 2}  # versions of each
REASON = Reason("below_threshold", "accuracy 0.6280 < 0.8", 0.628, 0.8)
SLICE_REASON = Reason("slice_below_threshold", "label:cmd accuracy 0.4118 < 0.5", 0.4118, 0.5)
LATE_REASON = Reason("too_slow", "the slowest golden answer took 2.31 s, more than 1 s", 2.31, 1.0)


@dataclass(frozen=True)
class Gateway:
    """A running gateway. ``config`` is the file that it follows."""

    url: str
    config: Path
    log: Path


@dataclass(frozen=True)
class Stage:
    """What all tests look at. ``grpc``: the model server's address."""

    store: Path
    grpc: str
    gateway: Gateway


def fill_store(root: Path, built: Path) -> Path:
    """A store with every version, and of leaves two refusals and a rollback."""
    store = LocalStore(root)
    for version, champion in ((1, None), (2, 1)):
        metrics = {"accuracy": 0.9 + version / 50, "loss": 0.31 / version, "example_count": 215.0}
        store.publish("leaves", built / "leaves" / str(version), Identity(f"run-{version}", "leaves", champion=champion, metrics=metrics))
        store.publish("trips", built / "trips" / str(version), Identity(f"run-{version}", "taxi", champion=champion, metrics={"auc": 0.94}))
        store.publish("tips", built / "tips" / str(version), Identity(f"run-{version}", "taxi", champion=champion))
        if version == 1:
            store.refuse("leaves", Verdict("evaluator", (REASON, SLICE_REASON)), "run-1b")
    store.refuse("leaves", Verdict("infra_validator", (LATE_REASON,)), "run-3")
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    store.publish("sticks", built / "sticks" / "1", Identity("run-1", "sticks"))
    told = {"from_version": 2, "reason": "too many complaints"}
    history.append(root / "leaves" / LEDGER, Event(now, "rollback", "leaves", "by-hand", version=1, details=told))
    return root


@contextmanager
def model_server(store: Path, scratch: Path) -> Iterator[str]:
    """The gRPC address of a server that serves every version of every model."""
    models = "".join(
        f'config {{ name: "{name}" base_path: "{store / name}" model_platform: "tensorflow" model_version_policy {{ all {{}} }} }}\n'
        for name in MODELS
    )
    file = scratch / "models.config"
    file.write_text(f"model_config_list {{\n{models}}}\n", encoding="utf-8")
    with server_process.started(scratch, "--port=0", f"--model_config_file={file}") as server:
        import httpx

        def loaded() -> bool | None:
            answers = [httpx.get(f"{server.rest_address}/v1/models/{name}").json() for name in MODELS]
            states = [row["state"] for answer in answers for row in answer.get("model_version_status", [])]
            return states == ["AVAILABLE"] * sum(MODELS.values()) or None

        wait_for(loaded, server.process.poll, what="every version was loaded", deadline_seconds=LOAD_SECONDS, logs=server.log.read_text)
        yield server.grpc_address


@contextmanager
def gateway(scratch: Path, **config: Any) -> Iterator[Gateway]:
    """A gateway with this configuration, ended at the end."""
    scratch.mkdir(parents=True, exist_ok=True)
    file, ports, log = scratch / "gateway.yaml", scratch / "ports.json", scratch / "gateway.log"
    write_config(file, {"port": 0, **config})
    with log.open("w") as sink:
        command = [sys.executable, "-m", "serving.gateway", "--config", str(file), "--ports-file", str(ports)]
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT)
    try:
        found = wait_for(
            lambda: json.loads(ports.read_text()) if ports.exists() else None,
            process.poll,
            what="the gateway listened",
            deadline_seconds=60,
            logs=log.read_text,
        )
        yield Gateway(f"http://127.0.0.1:{found['http']}", file, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_config(file: Path, config: Mapping[str, Any]) -> None:
    """In one piece: a gateway may be reading."""
    partial = file.with_name(f".{file.name}")
    partial.write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
    partial.replace(file)


def upstream(address: str) -> dict[str, Any]:
    """The part of a configuration that names the model server."""
    return {"upstreams": {"default": {"grpc": address}}}
