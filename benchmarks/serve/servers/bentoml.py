"""BentoML: `bentoml serve` with its adaptive batching, a worker for each core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.serve.case import Case
from benchmarks.serve.servers.base import ROOT, SERVICES, WORKERS, Server, Start, compact


class BentoML(Server):
    """REST only: the gRPC server is gone from its present version."""

    title = "BentoML"
    setup = f"workers={WORKERS}, batchable, batches of up to 64"

    def command(self, start: Start) -> Sequence[str]:
        address = ["--host=127.0.0.1", f"--port={start.rest_port}"]
        quiet = ["--quiet", "--do-not-track"]
        return [start.program("bentoml"), "serve", f"{SERVICES}.bentoml_service:Predict", *address, f"--working-dir={ROOT}", *quiet]

    def rest_body(self, case: Case) -> bytes:
        return compact({"rows": [case.example]})

    def rest_answer(self, body: bytes, case: Case) -> dict[str, Any]:  # noqa: ARG002 # the names are in it
        rows: list[dict[str, Any]] = json.loads(body)
        return rows[0]
