"""Ours: `sluiceway-server` with TF Serving's flags and the REST and gRPC of TF Serving."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.serve import tf_serving
from benchmarks.serve.case import Case
from benchmarks.serve.servers import FLAGS
from benchmarks.serve.servers.base import WORKERS, Server, Start, compact


class Sluiceway(Server):
    """The server of this checkout, in the project's environment."""

    title = "sluiceway"
    setup = os.environ.get(FLAGS, f"--workers={WORKERS} --enable_batching")
    grpc_path: ClassVar[str | None] = tf_serving.PREDICT

    def command(self, start: Start) -> Sequence[str]:
        addresses = [f"--port={start.grpc_port}", f"--rest_api_port={start.rest_port}"]
        model = [f"--model_name={start.case.name}", f"--model_base_path={start.case.base_path}"]
        return [str(start.python), "-m", "serving.server", *addresses, *model, *self.setup.split()]

    def rest_path(self, case: Case) -> str:
        return f"/v1/models/{case.name}:predict"

    def rest_body(self, case: Case) -> bytes:
        row = case.example if len(case.columns) > 1 else next(iter(case.example.values()))
        return compact({"signature_name": case.signature, "instances": [row]})

    def rest_answer(self, body: bytes, case: Case) -> dict[str, Any]:
        row = json.loads(body)["predictions"][0]
        return row if isinstance(row, dict) else dict.fromkeys(case.expected, row)  # TF Serving leaves the name of a lone output out

    def grpc_message(self, start: Start) -> bytes:
        return tf_serving.request(start.case)

    def grpc_answer(self, message: bytes, start: Start) -> dict[str, Any]:  # noqa: ARG002 # it names its outputs itself
        return tf_serving.answer(message)
