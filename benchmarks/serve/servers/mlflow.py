"""MLflow: `mlflow models serve`, which is FastAPI under uvicorn with a worker for each core."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

from benchmarks.serve.case import Case
from benchmarks.serve.servers.base import WORKERS, Server, Start, compact


class MLflow(Server):
    """A python_function model; MLflow has no batching and no gRPC."""

    title = "MLflow"
    setup = f"mlflow models serve --workers {WORKERS}"

    def prepare(self, start: Start) -> None:
        model = self._model(start)
        rmtree(model, ignore_errors=True)
        environment = {**os.environ, **self.environment(start)}
        subprocess.run([*start.module("mlflow_service"), str(model)], env=environment, capture_output=True, check=True)

    def command(self, start: Start) -> Sequence[str]:
        model = ["--model-uri", str(self._model(start)), "--env-manager", "local"]
        address = ["--host", "127.0.0.1", "--port", str(start.rest_port)]
        return [start.program("mlflow"), "models", "serve", *model, *address, "--workers", str(WORKERS)]

    def environment(self, start: Start) -> Mapping[str, str]:
        return {**super().environment(start), "UVICORN_ACCESS_LOG": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}

    def rest_path(self, case: Case) -> str:  # noqa: ARG002 # the same for every model
        return "/invocations"

    def rest_body(self, case: Case) -> bytes:
        return compact({"inputs": case.batch_of_one()})

    def rest_answer(self, body: bytes, case: Case) -> dict[str, Any]:  # noqa: ARG002 # the names are in it
        answer: dict[str, Any] = json.loads(body)["predictions"]
        return answer

    def _model(self, start: Start) -> Path:
        return start.folder / "model"
