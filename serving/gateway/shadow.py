"""Copies of requests to another version, off the way of the answer: sent when there is room, compared, counted."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from serving.gateway.answers import told
from serving.gateway.compare import Difference, differ
from serving.gateway.metrics import Metrics
from serving.gateway.routing import Asked
from serving.protocol.json_arrays import Array
from serving.protocol.status import StatusError

log = logging.getLogger(__name__)

# A shadow that is slow must not pile up copies, which share the server with those that are waited for: more are dropped and counted.
_MOST = 8
_KEPT = 50


class Shadows:
    """Belongs to one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._latest: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def send(self, asked: Asked, ask: Callable[[], Awaitable[Mapping[str, Array]]], outputs: Mapping[str, Array]) -> None:
        """Send a copy and compare its answer with the one that was given; returns at once.

        Args:
            ask: sends it; raises StatusError.
        """
        if len(self._under_way) >= _MOST:
            self._count(asked.model, "dropped")
            return
        task = asyncio.get_running_loop().create_task(self._compare(asked, ask, outputs))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def record(self, model: str) -> dict[str, Any]:
        """How copies came out since the start, and the latest that differed; no payloads."""
        return {"counts": dict(self._counts[model]), "latest": list(self._latest[model])} if model in self._counts else {}

    async def settle(self, seconds: float) -> None:
        """Wait so long for the copies under way, and end those that are still there."""
        if self._under_way:
            _, left = await asyncio.wait(set(self._under_way), timeout=seconds)
            for task in left:
                task.cancel()

    async def _compare(self, asked: Asked, ask: Callable[[], Awaitable[Mapping[str, Array]]], outputs: Mapping[str, Array]) -> None:
        model, to = asked.model, asked.shadow.name if asked.shadow else ""
        try:
            other = await ask()
        except StatusError as error:
            self._count(model, "failed")
            answer = told(error)
            # Not the server's words, which may hold a part of the request: every key of the model can read this.
            self._latest[model].append({"result": "failed", "to": to, "reason": answer.note if answer else error.code.name})
            return
        except Exception:  # nobody waits for this task: what goes wrong in it is told here or nowhere
            log.exception("a copy to %s of %s failed", to, model)
            self._count(model, "failed")
            return
        found = differ(outputs, other, asked.tolerance)
        self._count(model, "same" if found.same else "different")
        if not found.reason and math.isfinite(found.largest):
            # One infinite difference would make the sum of all infinite.
            self._metrics.shadow_difference.labels(self._metrics.name(model)).observe(found.largest)
        if not found.same:
            self._latest[model].append({"result": "different", "to": to, **_plain(found)})

    def _count(self, model: str, result: str) -> None:
        self._counts[model][result] += 1
        self._metrics.shadow.labels(self._metrics.name(model), result).inc()


def _plain(found: Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "same"}
