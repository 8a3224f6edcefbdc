"""One model served by a real server process, asked by the load generator while new versions are published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.serve import ask, case
from benchmarks.serve.case import Case
from benchmarks.serve.process import end, free_ports, running
from benchmarks.serve.servers.base import ROOT, Start
from benchmarks.serve.servers.sluiceway import Sluiceway
from benchmarks.swap import server_log
from benchmarks.swap.plan import SWAPS, Plan
from benchmarks.swap.report import Asked, Measured, Swap, by_phase
from serving.store.local import LocalStore
from serving.store.manifest import Identity

HEAD_START = 0.5
"""Seconds between the order to begin and the first request."""
LAST_LOAD = 20.0
"""Seconds after the last request in which the last version may still become available."""


class NotMeasured(Exception):
    """The load generator did not say what it measured."""


@dataclass(frozen=True)
class Settings:
    """How the server is started."""

    poll: float
    flags: Sequence[str] = ()


def measure(case_given: Case, plan: Plan, settings: Settings) -> Measured:
    """Serves, asks, publishes. Raises NotServed, NotMeasured."""
    with TemporaryDirectory(prefix="swap-") as name:
        folder = Path(name)
        published = LocalStore(folder / "source").publish(case_given.name, Path(case_given.directory), Identity("swap", case_given.name))
        base = folder / "store" / case_given.name
        _publish(published.path, base, 1)
        served = replace(case_given, base_path=str(base))
        case.write(served, folder / "case.json")
        rest, grpc = free_ports(2)
        start = Start(served, folder / "case.json", Path(sys.executable), folder, rest, grpc, (0, 0))
        load = os.getloadavg()[0]
        with running(_command(start, settings), Sluiceway().environment(start), folder) as process:
            server = Sluiceway()
            ask.rest(server, start, f"http://127.0.0.1:{rest}{server.rest_path(served)}", server.rest_body(served), process)
            ask.grpc(server, start, server.grpc_message(start), process)
            times, told = _under_load(start, plan, published.path, base)
            loads = _loads(folder / "log.txt", max(times))
    asked = [Asked(**one) for one in told["asked"]]
    swaps = [
        Swap(version, None if (found := loads.get(version)) is None else found.at - at, 0.0 if found is None else found.seconds)
        for version, at in times.items()
    ]
    return Measured(case_given.name, by_phase(asked, plan.phase), swaps, settings.poll, told["cores"], load)


def _command(start: Start, settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "serving.server", f"--port={start.grpc_port}", f"--rest_api_port={start.rest_port}"),
        *(f"--model_name={start.case.name}", f"--model_base_path={start.case.base_path}"),
        *(f"--file_system_poll_wait_seconds={settings.poll:g}", *settings.flags),
    ]


def _under_load(start: Start, plan: Plan, source: Path, base: Path) -> tuple[dict[int, float], dict[str, Any]]:
    """When each version was published, in seconds since the epoch, and what the load generator printed."""
    order = start.folder / "order.json"
    ports = {"rest_port": start.rest_port, "grpc_port": start.grpc_port}
    order.write_text(json.dumps({"case": str(start.case_file), "plan": asdict(plan), **ports}), encoding="utf-8")
    generator = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.swap.load", str(order)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        if generator.stdin is None or generator.stdout is None:
            raise NotMeasured("the load generator has no pipes")
        if generator.stdout.readline() != b"ready\n":
            raise NotMeasured(f"the load generator ended with {generator.wait()}")
        begin = time.monotonic() + HEAD_START
        generator.stdin.write(f"{begin}\n".encode())
        generator.stdin.flush()
        times = {}
        for version, due in enumerate(plan.publications(), start=2):
            time.sleep(max(0.0, begin + due - time.monotonic()))
            times[version] = _publish(source, base, version)
            print(f"\r  {start.case.name}: {SWAPS} {version - 1} of {plan.swaps}", end="", file=sys.stderr, flush=True)
        output, _ = generator.communicate()
        print(file=sys.stderr)
        if generator.returncode != 0:
            raise NotMeasured(f"the load generator ended with {generator.returncode}")
        return times, json.loads(output)
    finally:
        end(generator)


def _loads(log: Path, last: int) -> Mapping[int, server_log.Load]:
    """What the log tells once it has told of the last version, or has not for too long."""
    deadline = time.monotonic() + LAST_LOAD
    while True:
        loads = server_log.loads(log.read_text(encoding="utf-8", errors="replace"))
        if last in loads or time.monotonic() > deadline:
            return loads
        time.sleep(0.1)


def _publish(source: Path, base: Path, version: int) -> float:
    """A copy under a name that no server takes for a version, and one rename, as the store does it. Gives the time of the rename."""
    staging = base / f".staging-{version}"
    copytree(source, staging)
    at = time.time()
    staging.rename(base / str(version))
    return at
