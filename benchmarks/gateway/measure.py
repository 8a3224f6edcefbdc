"""A model server and a gateway before it, asked alone, at capacity, in overload, and while versions are swapped."""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import yaml

from benchmarks.gateway.load import closed, paced
from benchmarks.gateway.report import Report, Round, Swaps
from benchmarks.serve import ask, h2load
from benchmarks.serve.case import Case
from benchmarks.serve.process import free_ports, running
from benchmarks.serve.servers.base import Start
from benchmarks.serve.servers.sluiceway import Sluiceway
from benchmarks.serve.tf_serving import PREDICT, request
from configs.gateway import Limits

OVERLOAD = 2.0
"""Times its capacity."""
CALLERS = 4
"""While versions are swapped."""
BETWEEN = 1.5
"""Seconds between two versions: more than the server takes to look for one and to load it."""


@dataclass(frozen=True)
class Plan:
    """How long and how often; ``limits`` are the gateway's."""

    seconds: int
    rounds: int
    swaps: int
    limits: Limits


@dataclass(frozen=True)
class Stage:
    """Both servers, running."""

    rest: str
    grpc: str
    gateway: str
    base: Path
    body: Path
    message: Path
    answer_size: int


def measure(case: Case, plan: Plan) -> Report:
    """Raises NotServed, NoSample."""
    rounds, loads = [], []
    with _stage(case, plan.limits) as stage:
        closed(stage.gateway, stage.body, CALLERS, 3)
        for number in range(plan.rounds):
            print(f"\r  round {number + 1} of {plan.rounds}", end="", file=sys.stderr, flush=True)
            loads.append(os.getloadavg()[0])
            rounds.append(_round(stage, plan))
        print(file=sys.stderr)
        swaps = _swapped(stage, plan.swaps)
    told = f"concurrency {plan.limits.concurrency}, queue {plan.limits.queue}"
    return Report(rounds, swaps, told, loads)


def _round(stage: Stage, plan: Plan) -> Round:
    grpc = h2load.measure(stage.grpc, stage.message, 1, plan.seconds, stage.answer_size)
    rest = closed(stage.rest, stage.body, 1, plan.seconds)
    alone = closed(stage.gateway, stage.body, 1, plan.seconds)
    full = closed(stage.gateway, stage.body, plan.limits.concurrency, plan.seconds)
    over = paced(stage.gateway, stage.body, OVERLOAD * full.rate, plan.seconds)
    return Round(
        rest=rest.quantile(0.5),
        grpc=grpc.p50,
        gateway=alone.quantile(0.5),
        capacity=full.rate,
        p99=full.quantile(0.99),
        offered=over.offered,
        accepted=over.rate,
        accepted_p99=over.quantile(0.99),
        shed=over.shed,
        failed=over.failed + full.failed + alone.failed,
    )


def _swapped(stage: Stage, versions: int) -> Swaps:
    """Publish versions while callers ask; a request that is not answered well has failed."""
    over, seen = threading.Event(), list[tuple[bool, int]]()
    address, path = stage.gateway.removeprefix("http://").split("/", 1)
    body = stage.body.read_bytes()

    def ask_on() -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        while not over.is_set():
            try:
                connection.request("POST", f"/{path}", body)
                answer = connection.getresponse()
                answer.read()
                seen.append((answer.status == 200, int(answer.headers.get("x-model-version", "0"))))
            except (OSError, http.client.HTTPException):
                seen.append((False, 0))
                connection.close()
        connection.close()

    callers = [threading.Thread(target=ask_on) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for version in range(2, versions + 2):
        staged = stage.base / f".staging-{version}"
        copytree(stage.base / "1", staged)
        staged.rename(stage.base / str(version))
        time.sleep(BETWEEN)
    over.set()
    for caller in callers:
        caller.join()
    return Swaps(versions + 1, len(seen), sum(not good for good, _ in seen), max(version for _, version in seen))


@contextmanager
def _stage(case: Case, limits: Limits) -> Iterator[Stage]:
    with TemporaryDirectory(prefix="gateway-") as name:
        folder = Path(name)
        base = folder / "store" / case.name
        copytree(case.directory, base / "1")
        served, ours = replace(case, base_path=str(base)), Sluiceway()
        rest, grpc, port = free_ports(3)
        start = Start(served, folder / "case.json", Path(sys.executable), folder, rest, grpc, (0, 0))
        (folder / "server").mkdir()
        (folder / "gateway").mkdir()
        command = [
            *(sys.executable, "-m", "serving.server", f"--port={grpc}", f"--rest_api_port={rest}"),
            *(f"--model_name={case.name}", f"--model_base_path={base}", "--file_system_poll_wait_seconds=0.2"),
        ]
        bounds = {"concurrency": limits.concurrency, "queue": limits.queue}
        config = {"port": port, "upstreams": {"default": {"grpc": f"127.0.0.1:{grpc}"}}, "limits": bounds}
        file = folder / "gateway.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        gateway = [sys.executable, "-m", "serving.gateway", f"--config={file}"]
        path, body = ours.rest_path(served), ours.rest_body(served)
        with running(command, ours.environment(start), folder / "server") as process:
            ask.rest(ours, start, f"http://127.0.0.1:{rest}{path}", body, process)
            answer_size = ask.grpc(ours, start, ours.grpc_message(start), process)
            with running(gateway, ours.environment(start), folder / "gateway") as second:
                ask.rest(ours, start, f"http://127.0.0.1:{port}{path}", body, second)
                (folder / "body.json").write_bytes(body)
                (folder / "message.bin").write_bytes(h2load.framed(request(served)))
                yield Stage(
                    rest=f"http://127.0.0.1:{rest}{path}",
                    grpc=f"http://127.0.0.1:{grpc}{PREDICT}",
                    gateway=f"http://127.0.0.1:{port}{path}",
                    base=base,
                    body=folder / "body.json",
                    message=folder / "message.bin",
                    answer_size=answer_size,
                )
