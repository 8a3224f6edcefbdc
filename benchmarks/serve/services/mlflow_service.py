"""MLflow: `python -m benchmarks.serve.services.mlflow_service FOLDER` saves a python_function model, which `mlflow models serve` serves."""

from __future__ import annotations

import sys
from typing import Any

import mlflow.pyfunc

from benchmarks.serve.services.savedmodel import Signature


class Predict(mlflow.pyfunc.PythonModel):  # type: ignore[misc] # not in the project's environment
    """`inputs` of a request are whole tensors by column."""

    def load_context(self, context: Any) -> None:  # noqa: ARG002 # MLflow's own name
        self.signature = Signature()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 # MLflow's own names
        return self.signature.columns(model_input)


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Predict(), pip_requirements=[])
