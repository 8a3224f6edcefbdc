"""BentoML: a service with an adaptively batched API, one worker for each core."""

from __future__ import annotations

from typing import Any

import bentoml

from benchmarks.serve.services.savedmodel import WORKERS, Signature


@bentoml.service(workers=WORKERS, logging={"access": {"enabled": False}}, metrics={"enabled": False}, traffic={"timeout": 60})
class Predict:
    """A request is a list of examples by column; BentoML joins the lists of several requests."""

    def __init__(self) -> None:
        self.signature = Signature()

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=60_000)
    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.signature.rows(rows)
