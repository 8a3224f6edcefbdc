"""What REST and gRPC share: the models, how they are called, and what is noted of each request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from typing_extensions import Self

from serving.protocol import wire_pb2 as wire
from serving.protocol.routes import Target
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, StatusError, VersionStatus
from serving.server.batching.batched import BatchedServable
from serving.server.messages import CallOptions
from serving.server.metrics import Metrics
from serving.server.models import Models
from serving.server.prediction_logs import PredictionLogs
from serving.server.servable import Array, Servable


class Cluster(Protocol):
    """What a request asks of the whole server, which may be several processes."""

    def statuses(self, model: str, version: int | None) -> list[VersionStatus]:
        """See `Models.statuses`."""

    def reload(self, serialized: bytes, timeout_seconds: float | None) -> None:
        """Serve what a serialized ModelServerConfig says from now on. Raises StatusError, see `Manager.reload`."""

    def metrics_text(self) -> str:
        """The Prometheus page."""

    def increases(self, names: Sequence[str], work: Callable[[], None]) -> Mapping[str, int]:
        """Do `work`; by how much each of these counters of whole numbers grew meanwhile."""

    def unready(self, model: str | None) -> str | None:
        """Why the server (or one model) cannot answer predictions now; None when it can."""


@dataclass
class Core:
    """The parts of a running server that a request needs."""

    models: Models
    metrics: Metrics
    cluster: Cluster
    logs: PredictionLogs
    options: CallOptions = CallOptions()
    rest_timeout_seconds: float | None = 30.0
    strict: bool = False
    admin_token: str | None = None


class Clocked:
    """A model for one request.

    ``seconds`` is the time spent in it, None before the first run; ``was_quick``: the model expects another such call to be quick.
    """

    __slots__ = ("_servable", "batched", "seconds", "signature_defs", "signatures", "was_quick")

    def __init__(self, servable: Servable) -> None:
        self._servable = servable
        self.signature_defs: Mapping[str, wire.SignatureDef] = servable.signature_defs
        self.signatures: Mapping[str, SignatureSpec] = servable.signatures
        self.seconds: float | None = None
        self.was_quick = False
        self.batched = isinstance(servable, BatchedServable)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        """See `Servable.run`."""
        started = time.perf_counter()
        try:
            return self._servable.run(feeds, fetches, timeout_seconds)
        finally:
            self.seconds = (self.seconds or 0.0) + time.perf_counter() - started
            self.was_quick = self._servable.quick(feeds, fetches)

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        """See `Servable.quick`."""
        return self._servable.quick(feeds, fetches)

    def close(self) -> None:
        """A request closes no model."""


class Call:
    """One request, from its first byte read to its answer: leases the model, measures, counts. A block, entered once."""

    __slots__ = ("_api", "_core", "_entrypoint", "_hold", "_started", "model", "servable", "version")

    def __init__(self, core: Core, api: str, entrypoint: str, model: str) -> None:
        """``api`` and ``entrypoint`` are spelled as TF Serving's metrics spell them; an empty ``api`` is counted only."""
        self._core, self._api, self._entrypoint, self.model = core, api, entrypoint, model
        self._hold: Any = None
        self.version: int | None = None
        self.servable: Clocked | None = None

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._core.metrics.in_flight(self._entrypoint).add()
        return self

    @property
    def batched(self) -> bool:
        """May requests be run together with this one?"""
        return self.servable is not None and self.servable.batched

    def lease(self, target: Target) -> Clocked:
        """The version that the request asks for, held until the block ends. Raises StatusError."""
        hold = self._core.models.lease(target.model, target.version, target.label)
        lease = hold.__enter__()
        self._hold, self.version = hold, lease.version
        self.servable = Clocked(lease.servable)
        return self.servable

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._hold is not None:
            self._hold.__exit__(kind, error, trace)
        metrics = self._core.metrics
        metrics.in_flight(self._entrypoint).add(-1)
        code = Code.OK if error is None else error.code if isinstance(error, StatusError) else Code.INTERNAL
        recorder = metrics.request(self.model, self.version, self._api, self._entrypoint)
        recorder.record(code, (time.perf_counter() - self._started) * 1e6)
        if self.servable is not None and self.servable.seconds is not None and code is Code.OK:
            recorder.ran(self.servable.seconds * 1e6)
