"""Calls a second of a model in process, without network: `python -m benchmarks.serve.limit CASE SECONDS` prints the number."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.serve.case import Case, read

SOME = 20
"""Calls between two looks at the clock."""


def calls_per_second(case: Case, seconds: float) -> float:
    """One thread calls the loaded signature on ready tensors and fetches the outputs, one example a call."""
    call = _loaded(case)
    for _ in range(5 * SOME):
        call()
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(SOME):
            call()
        calls += SOME
    return calls / elapsed


def _loaded(case: Case) -> Any:
    """A function without arguments that runs the model once."""
    import tensorflow as tf

    model = tf.saved_model.load(case.directory)
    function = model.signatures[case.signature]
    tensors = {column.name: tf.constant([case.example[column.name]], column.dtype) for column in case.columns}

    def call() -> None:
        for output in function(**tensors).values():
            output.numpy()

    call.model = model  # type: ignore[attr-defined] # a signature does not keep its variables alive
    return call


if __name__ == "__main__":
    print(calls_per_second(read(Path(sys.argv[1])), float(sys.argv[2])))
