"""Rounds in which each server in turn serves each model under load; never two servers at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serve import ask, h2load, wrk
from benchmarks.serve.case import Case
from benchmarks.serve.environments import NotInstalled, interpreter
from benchmarks.serve.process import free_ports, running
from benchmarks.serve.report import Report, Row
from benchmarks.serve.sample import NoSample, Sample
from benchmarks.serve.servers import OURS, load
from benchmarks.serve.servers.base import Server, Start

WARM_UP = 2
"""Seconds of load that nobody looks at: every worker has traced, adaptive batching has adapted."""


@dataclass(frozen=True)
class Plan:
    """What is measured and how."""

    products: Sequence[str]
    cases: Sequence[tuple[Case, Path]]
    clients: Sequence[int]
    rounds: int
    seconds: int
    work: Path
    python: str | None


@dataclass
class Found:
    """What was measured so far."""

    samples: dict[Row, dict[str, list[Sample]]] = field(default_factory=dict)
    limits: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    load: list[float] = field(default_factory=list)


def measure(plan: Plan) -> Report:
    """All rounds, telling on standard error what is being done."""
    servers, found = {name: load(name) for name in plan.products}, Found()
    pythons = _interpreters(plan, found)
    for number in range(plan.rounds):
        found.load.append(os.getloadavg()[0])
        for case, case_file in plan.cases:
            found.limits.setdefault(case.name, []).append(limit(case_file, plan.seconds))
            # Every round begins with another product, so that none always runs on a machine just warmed up by the same other.
            for name in [*plan.products[number % len(plan.products) :], *plan.products[: number % len(plan.products)]]:
                what = f"{name}, {case.name}"
                if name in pythons and what not in found.failures:
                    _tell(f"round {number + 1} of {plan.rounds}: {what}")
                    start = _start(plan.work / "servers" / name / case.name, pythons[name], case, case_file)
                    try:
                        if number == 0:
                            servers[name].prepare(start)
                        _serve(name, servers[name], start, plan, found)
                    except (ask.NotServed, NoSample, subprocess.CalledProcessError) as failure:
                        found.failures[what] = str(failure)
                        _tell(f"  {failure}")
    titles, setups = {name: server.title for name, server in servers.items()}, {name: server.setup for name, server in servers.items()}
    ordered = {row: found.samples[row] for row in sorted(found.samples, key=lambda row: _order(row, plan))}
    return Report(OURS, titles, setups, ordered, found.limits, found.failures, found.load)


def limit(case_file: Path, seconds: int) -> float:
    """Calls a second of the model in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.serve.limit", str(case_file), str(seconds)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _order(row: Row, plan: Plan) -> tuple[int, int, int]:
    """Models as they were asked for, REST before gRPC, few clients before many."""
    return [case.name for case, _ in plan.cases].index(row.model), row.transport != "REST", row.clients


def _interpreters(plan: Plan, found: Found) -> dict[str, Path]:
    """The Python of each product that can be installed."""
    pythons = {}
    for name in plan.products:
        _tell(f"environment of {name}")
        try:
            pythons[name] = interpreter(name, plan.work, plan.python)
        except NotInstalled as failure:
            found.failures[name] = str(failure)
            _tell(f"  {failure}")
    return pythons


def _start(folder: Path, python: Path, case: Case, case_file: Path) -> Start:
    """A start in this folder, on ports that are free now."""
    folder.mkdir(parents=True, exist_ok=True)
    rest, grpc, *spare = free_ports(6)
    return Start(case, case_file, python, folder, rest, grpc, tuple(spare))


def _serve(name: str, server: Server, start: Start, plan: Plan, found: Found) -> None:
    """One server from its start to its end, measured over each transport with each number of clients. Raises NotServed, NoSample."""
    case, body = start.case, start.folder / "request.json"
    body.write_bytes(server.rest_body(case))
    url = f"http://127.0.0.1:{start.rest_port}{server.rest_path(case)}"
    with running(server.command(start), server.environment(start), start.folder) as process:
        ask.rest(server, start, url, body.read_bytes(), process)
        wrk.measure(url, body, max(plan.clients), WARM_UP)
        for clients in plan.clients:
            _keep(found, Row(case.name, "REST", clients), name, wrk.measure(url, body, clients, plan.seconds))
        if server.grpc_path is None:
            return
        message, body = server.grpc_message(start), start.folder / "request.bin"
        body.write_bytes(h2load.framed(message))
        size = ask.grpc(server, start, message, process)
        url = f"http://127.0.0.1:{start.grpc_port}{server.grpc_path}"
        h2load.measure(url, body, max(plan.clients), WARM_UP, size)
        for clients in plan.clients:
            _keep(found, Row(case.name, "gRPC", clients), name, h2load.measure(url, body, clients, plan.seconds, size))


def _keep(found: Found, row: Row, name: str, sample: Sample) -> None:
    found.samples.setdefault(row, {}).setdefault(name, []).append(sample)
    failed = f", {sample.failed} failed" if sample.failed else ""
    _tell(f"  {row.transport} {row.clients:>3} clients: {sample.rate:8,.0f}/s, p50 {sample.p50:.1f} ms, p99 {sample.p99:.1f} ms{failed}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
