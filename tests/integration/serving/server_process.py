"""A server process on a base path of the test's choice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.launchers.readiness import wait_for

# Runs the server with a model that says "entered" and answers once a file appears, so that a test decides how long a request takes.
GATED = """
import sys, time
from pathlib import Path
from serving.server import __main__, savedmodel
from tests.fakes.servable import FakeServable, double
gate = Path(sys.argv.pop(1))
def graph(feeds):
    (gate / "entered").touch()
    while not (gate / "leave").exists():
        time.sleep(0.01)
    return double(feeds)
savedmodel.import_runtime = lambda quiet: "fake"
savedmodel.load = lambda path, options: FakeServable(graph=graph)
sys.exit(__main__.main())
"""


@dataclass(frozen=True)
class ServerProcess:
    """A running server and the addresses it told."""

    process: subprocess.Popen[str]
    rest_address: str
    grpc_address: str
    log: Path


@contextmanager
def running(base_path: Path, scratch: Path, *flags: str, gate: Path | None = None) -> Iterator[ServerProcess]:
    """A server for model ``m``, killed at the end if it still runs."""
    start = ("-m", "serving.server") if gate is None else ("-c", GATED, str(gate))
    arguments = ("--port=0", "--model_name=m", f"--model_base_path={base_path}", "--file_system_poll_wait_seconds=0.05")
    with started(scratch, *arguments, *flags, start=start) as server:
        yield server


@contextmanager
def started(scratch: Path, *flags: str, start: tuple[str, ...] = ("-m", "serving.server")) -> Iterator[ServerProcess]:
    """A server with these flags, killed at the end if it still runs. Its ports are open, its models perhaps still loading."""
    ports_file, log = scratch / "ports.json", scratch / "server.log"
    with log.open("w") as sink:
        command = [sys.executable, *start, f"--ports_file={ports_file}", *flags]
        process = subprocess.Popen(command, stdout=sink, stderr=sink, text=True)
    try:
        ports = wait_for(
            lambda: json.loads(ports_file.read_text()) if ports_file.exists() else None,
            process.poll,
            what="its ports were open",
            deadline_seconds=120,
            logs=log.read_text,
        )
        yield ServerProcess(process, f"http://127.0.0.1:{ports['rest']}", f"127.0.0.1:{ports['grpc']}", log)
    finally:
        process.kill()
        process.wait()
