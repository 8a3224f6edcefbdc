"""What batching and the management of models tell, turned into metrics."""

from __future__ import annotations

from pathlib import Path

from serving.protocol.status import Code, State
from serving.server import metric_families as families
from serving.server.batching.observer import BatchObserver
from serving.server.metrics import Metrics


class BatchingMetrics(BatchObserver):
    """Batching, measured with TF Serving's metrics, which do not tell models apart."""

    def __init__(self, metrics: Metrics, thread_pool_name: str) -> None:
        self._queuing = metrics.histogram(families.QUEUING_LATENCY).get(thread_pool_name)
        self._metrics = metrics

    def input_batch_size(self, model: str, rows: int) -> None:
        """A request arrived."""
        del model
        self._metrics.histogram(families.INPUT_BATCH_SIZE).get().observe(rows)

    def queuing_latency(self, model: str, microseconds: float) -> None:
        """A request, or a piece of one, leaves its queue after so long."""
        del model
        self._queuing.observe(microseconds)

    def padding_size(self, model: str, rows: int, batch_rows: int) -> None:
        """A batch is padded with so many rows, to ``batch_rows``."""
        del model
        self._metrics.histogram(families.PADDING_SIZE).get(str(batch_rows)).observe(rows)

    def processed_batch_size(self, model: str, rows: int) -> None:
        """A batch has so many rows with its padding."""
        del model
        self._metrics.histogram(families.PROCESSED_BATCH_SIZE).get().observe(rows)

    def wrapped_run_count(self, model: str) -> None:
        """A batch is about to be run by the model."""
        del model
        self._metrics.scalar(families.WRAPPED_RUN_COUNT).get().add()


class LoadMetrics:
    """Loads and unloads, measured: TF Serving's counters by path, and the state of each version."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def loaded(self, model: str, version: int, path: Path, seconds: float) -> None:
        """A version is available."""
        self._metrics.loaded(str(path), True, seconds * 1e6)
        self._metrics.version_state(model, version, State.AVAILABLE, str(path))

    def load_failed(self, model: str, version: int, path: Path, code: Code, seconds: float = 0.0) -> None:
        """A version could not be loaded."""
        del code
        self._metrics.loaded(str(path), False, seconds * 1e6)
        self._metrics.version_state(model, version, State.END, str(path))

    def unloaded(self, model: str, version: int) -> None:
        """A version is out of service, its memory free."""
        self._metrics.version_state(model, version, State.END)
