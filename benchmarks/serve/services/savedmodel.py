"""A signature of a SavedModel for rows and columns of plain values: what every service here calls, so that all call TensorFlow alike."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serve import case as cases

CASE = "BENCHMARK_CASE"
"""Environment variable: the file of the case."""
GRPC_PORT = int(os.environ.get("BENCHMARK_GRPC_PORT", "0"))
WORKERS = int(os.environ.get("BENCHMARK_WORKERS", "2"))
PORT = int(os.environ.get("BENCHMARK_PORT", "0"))


class Signature:
    """The case's signature, loaded."""

    def __init__(self) -> None:
        import tensorflow as tf

        self.case = cases.read(Path(os.environ[CASE]))
        # Kept, because a signature does not keep its model's variables alive.
        self._model = tf.saved_model.load(self.case.directory)
        self._function = self._model.signatures[self.case.signature]
        self._constant = tf.constant
        self._dtypes = {column.name: object if column.dtype == "string" else column.dtype for column in self.case.columns}

    def columns(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Tensors [batch, ...] by name in, numpy arrays [batch, ...] by name out; text comes out as str."""
        # By way of numpy, which reads nested lists several times faster than TensorFlow does.
        outputs = self._function(**{name: self._constant(np.asarray(columns[name], dtype)) for name, dtype in self._dtypes.items()})
        return {name: _text(tensor.numpy()) for name, tensor in outputs.items()}

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Examples in, their answers out as plain values, in one call of the model."""
        outputs = self.columns({name: [row[name] for row in rows] for name in self._dtypes})
        plain = {name: array.tolist() for name, array in outputs.items()}
        return [{name: values[number] for name, values in plain.items()} for number in range(len(rows))]


def _text(array: Any) -> Any:
    return np.char.decode(array.astype(bytes), "utf-8") if array.dtype == object else array
