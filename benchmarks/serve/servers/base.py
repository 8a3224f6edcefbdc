"""What the benchmark needs to know about a server: how it is started, how it is asked, how its answer is read.

    prepare (once for each case) -> command -> [ready, asked, measured] -> ended by the benchmark

An adapter holds no state of a running server; the benchmark starts and ends the process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.serve.case import Case

ROOT = Path(__file__).resolve().parents[3]
WORKERS = 2
"""Processes of each server that can have several: one for each core of the machine the benchmark is meant for."""
SERVICES = "benchmarks.serve.services"


@dataclass(frozen=True)
class Start:
    """One start of a server: of which case, with which interpreter, in which folder of its own, on which free ports."""

    case: Case
    case_file: Path
    python: Path
    folder: Path
    rest_port: int
    grpc_port: int
    spare_ports: tuple[int, ...]

    def program(self, name: str) -> str:
        """A program of the server's environment."""
        return str(self.python.with_name(name))

    def module(self, service: str) -> list[str]:
        """The command that runs one of our service modules in the server's environment."""
        return [str(self.python), "-m", f"{SERVICES}.{service}"]


class Server:
    """One product. Subclasses say what differs."""

    title: ClassVar[str]
    setup: ClassVar[str]
    """What was chosen where the product leaves a choice, for the report."""
    grpc_path: ClassVar[str | None] = None
    """Path of its gRPC predict call; None: it offers none."""

    def prepare(self, start: Start) -> None:
        """Writes what the server needs besides the SavedModel. Nothing, unless overridden."""

    def command(self, start: Start) -> Sequence[str]:
        """The command that serves the case on these ports in the foreground."""
        raise NotImplementedError

    def environment(self, start: Start) -> Mapping[str, str]:
        """Environment variables beside those of the benchmark itself."""
        return {
            "BENCHMARK_CASE": str(start.case_file),
            "BENCHMARK_PORT": str(start.rest_port),
            "BENCHMARK_GRPC_PORT": str(start.grpc_port),
            "BENCHMARK_WORKERS": str(WORKERS),
            "PATH": f"{start.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }

    def rest_path(self, case: Case) -> str:  # noqa: ARG002 # some name the model in it
        """Path of the REST predict call."""
        return "/predict"

    def rest_body(self, case: Case) -> bytes:
        """The REST request for the case's one example: by default, the example itself."""
        return compact(case.example)

    def rest_answer(self, body: bytes, case: Case) -> dict[str, Any]:  # noqa: ARG002 # some leave the names out
        """The outputs of the one example in a REST answer: by default, the answer itself."""
        answer: dict[str, Any] = json.loads(body)
        return answer

    def grpc_message(self, start: Start) -> bytes:
        """The serialized gRPC request for the case's one example."""
        raise NotImplementedError

    def grpc_answer(self, message: bytes, start: Start) -> dict[str, Any]:
        """The outputs of the one example in a serialized gRPC answer."""
        raise NotImplementedError


def compact(value: Any) -> bytes:
    """JSON without spaces, as most clients send it."""
    return json.dumps(value, separators=(",", ":")).encode()
