"""Copies of requests to another version, off the way of the answer: sent when there is room, compared, counted."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from serving.gateway.compare import Difference, differ
from serving.gateway.metrics import Metrics
from serving.gateway.upstream import UpstreamServer
from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.json_arrays import Array
from serving.protocol.status import StatusError

log = logging.getLogger(__name__)

# A shadow that is slow must not pile up copies: beyond so many they are dropped, and counted as that.
_MOST = 16
_KEPT = 50


class Shadows:
    """Belongs to one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._latest: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def send(
        self,
        model: str,
        request: wire.PredictRequest,
        outputs: Mapping[str, Array],
        upstream: UpstreamServer,
        timeout: float,
        tolerance: float,
    ) -> None:
        """Send a copy and compare its answer with the one that was given; returns at once."""
        if len(self._under_way) >= _MOST:
            self._count(model, "dropped")
            return
        task = asyncio.get_running_loop().create_task(self._compare(model, request, outputs, upstream, timeout, tolerance))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def record(self, model: str) -> dict[str, Any]:
        """How copies came out since the start, and the latest that differed; no payloads."""
        return {"counts": dict(self._counts[model]), "latest": list(self._latest[model])} if model in self._counts else {}

    async def settled(self) -> None:
        """Wait for the copies under way."""
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _compare(
        self,
        model: str,
        request: wire.PredictRequest,
        outputs: Mapping[str, Array],
        upstream: UpstreamServer,
        timeout: float,
        tolerance: float,
    ) -> None:
        try:
            answer = await upstream.predict(request, timeout, counted=False)
            other = {alias: tensors.to_array(proto) for alias, proto in sorted(answer.outputs.items())}
        except (StatusError, ValueError) as error:
            self._count(model, "failed")
            self._latest[model].append({"result": "failed", "reason": str(error)})
            return
        found = differ(outputs, other, tolerance)
        self._count(model, "same" if found.same else "different")
        if not found.reason:
            self._metrics.shadow_difference.labels(self._metrics.name(model)).observe(found.largest)
        if not found.same:
            self._latest[model].append({"result": "different", "version": answer.model_spec.version.value, **_plain(found)})

    def _count(self, model: str, result: str) -> None:
        self._counts[model][result] += 1
        self._metrics.shadow.labels(self._metrics.name(model), result).inc()


def _plain(found: Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "same"}
