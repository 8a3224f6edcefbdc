"""MLServer: `mlserver start` with a custom runtime and adaptive batching; the V2 inference protocol over REST and gRPC."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.serve.answers import leaves
from benchmarks.serve.case import Case
from benchmarks.serve.servers.base import SERVICES, Server, Start, compact

DATATYPES = {"float32": "FP32", "int64": "INT64", "string": "BYTES"}


class MLServer(Server):
    """Settings are two JSON files in the folder it is started on.

    Two parallel workers were tried: slower on each of these models, because every request is pickled to a worker and back.
    """

    title = "MLServer"
    setup = "adaptive batching (64 requests, 0.5 ms), parallel_workers=0"
    grpc_path: ClassVar[str | None] = "/inference.GRPCInferenceService/ModelInfer"

    def command(self, start: Start) -> Sequence[str]:
        settings = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": start.rest_port,
            "grpc_port": start.grpc_port,
            "grpc_max_message_length": 64 * 1024 * 1024,
            "parallel_workers": 0,
            "metrics_endpoint": None,
            "gzip_enabled": False,
            "environments_dir": str(start.folder / "environments"),
        }
        implementation = f"{SERVICES}.mlserver_service.Predict"
        model = {"name": start.case.name, "implementation": implementation, "max_batch_size": 64, "max_batch_time": 0.0005}
        (start.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        (start.folder / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
        return [start.program("mlserver"), "start", str(start.folder)]

    def rest_path(self, case: Case) -> str:
        return f"/v2/models/{case.name}/infer"

    def rest_body(self, case: Case) -> bytes:
        inputs = [
            {
                "name": column.name,
                "shape": [1, *column.shape],
                "datatype": DATATYPES[column.dtype],
                "data": list(leaves(case.example[column.name])),
            }
            for column in case.columns
        ]
        return compact({"inputs": inputs})

    def rest_answer(self, body: bytes, case: Case) -> dict[str, Any]:  # noqa: ARG002 # the names are in it
        return {item["name"]: item["data"] for item in json.loads(body)["outputs"]}

    def grpc_message(self, start: Start) -> bytes:
        return self._in_its_environment(start, "request", self.rest_body(start.case))

    def grpc_answer(self, message: bytes, start: Start) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._in_its_environment(start, "answer", message))
        return answer

    def _in_its_environment(self, start: Start, what: str, given: bytes) -> bytes:
        """Its gRPC messages are defined in its own package only."""
        environment = {**os.environ, **self.environment(start)}
        command = [*start.module("mlserver_messages"), what, start.case.name]
        return subprocess.run(command, env=environment, input=given, stdout=subprocess.PIPE, check=True).stdout
