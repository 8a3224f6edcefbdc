"""Predict requests in row format that are there at the same time, read, run and written as one: what batching does before the queue.

Each of them costs only its share of what a request costs by itself: the columns to build, the graph to start, the rows to print.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from serving.protocol import json_text, predict
from serving.protocol.routes import Target
from serving.protocol.signature import DEFAULT_SIGNATURE
from serving.protocol.status import Code, StatusError
from serving.server import handlers, rest_logging
from serving.server.core import Clocked, Core
from serving.server.servable import Array


def answer(core: Core, target: Target, bodies: Sequence[bytes]) -> list[str]:
    """The body of each answer. Raises StatusError when they have to be answered one by one, for whatever reason."""
    started = time.perf_counter()
    documents = [json_text.parse_object(body) for body in bodies]
    asked = predict.read_signature_name(documents[0])
    sizes = [_rows_of(document, asked) for document in documents]
    instances: list[Any] = [row for document in documents for row in document["instances"]]
    name = asked or DEFAULT_SIGNATURE
    with core.models.lease(target.model, target.version, target.label) as lease:
        servable = Clocked(lease.servable)
        signature = servable.signatures.get(name)
        if signature is None or not servable.batched:
            raise _apart()
        _, inputs = predict.read_inputs({"instances": instances}, signature, asked)
        outputs = handlers.predict(servable, name, inputs, (), core.rest_timeout_seconds, check_method_name=core.options.check_method_names)
        texts = predict.row_texts(outputs)
        if len(texts) != len(instances):
            raise _apart()
    answers, first = [], 0
    for size in sizes:
        rows = slice(first, first + size)
        rest_logging.log_predict(core, target.model, lease.version, name, _rows(inputs, rows), _rows(outputs, rows))
        answers.append(predict.join_rows(texts[rows], named=len(outputs) > 1))
        first += size
    _count(core, target.model, lease.version, len(bodies), time.perf_counter() - started, servable.seconds or 0.0)
    return answers


def _rows_of(document: Mapping[str, Any], asked: str) -> int:
    rows = document.get("instances")
    if predict.read_signature_name(document) != asked or "inputs" in document or not isinstance(rows, list) or not rows:
        raise _apart()
    return len(rows)


def _rows(arrays: Mapping[str, Array], rows: slice) -> dict[str, Array]:
    return {name: array[rows] for name, array in arrays.items()}


def _count(core: Core, model: str, version: int, requests: int, seconds: float, in_model: float) -> None:
    """Each of them waited for all."""
    recorder = core.metrics.request(model, version, "predict", "REST")
    for _ in range(requests):
        recorder.record(Code.OK, seconds * 1e6)
        recorder.ran(in_model * 1e6)


def _apart() -> StatusError:
    return StatusError(Code.FAILED_PRECONDITION, "these requests do not go together")
