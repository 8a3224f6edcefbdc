"""A server of one process: what a request asks of the whole server, answered from this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from serving.protocol.status import VersionStatus
from serving.server import prometheus
from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.models import Models
from serving.server.prediction_logs import PredictionLogs
from serving.server.schemas import model_configs


class LocalCluster:
    """Implements `Cluster`."""

    def __init__(self, models: Models, manager: Manager, metrics: Metrics, logs: PredictionLogs) -> None:
        self._models, self._manager, self._metrics, self._logs = models, manager, metrics, logs
        self._draining = False

    def statuses(self, model: str, version: int | None) -> list[VersionStatus]:
        """See `Models.statuses`."""
        return self._models.statuses(model, version)

    def reload(self, serialized: bytes, timeout_seconds: float | None) -> None:
        """See `Cluster.reload`."""
        configs = model_configs.from_bytes(serialized)
        try:
            self._manager.reload(configs, timeout_seconds)
        finally:  # a list of which one model did not come up is in force, too; a later one may be by now
            in_force = self._manager.configs
            self._metrics.set_models([config.name for config in in_force])
            self._logs.follow(in_force)

    def metrics_text(self) -> str:
        """See `Cluster.metrics_text`."""
        return prometheus.render(self._metrics.snapshot(), strict=self._metrics.strict)

    def increases(self, names: Sequence[str], work: Callable[[], None]) -> Mapping[str, int]:
        """See `Cluster.increases`."""
        before = self._metrics.snapshot() if names else None
        work()
        return {} if before is None else self._metrics.increase_since(before, names)

    def unready(self, model: str | None) -> str | None:
        """See `Cluster.unready`."""
        if self._draining:
            return "the server is stopping"
        configured = [config.name for config in self._manager.configs]
        if model is not None and model not in configured:
            return f"model {model} is not configured here; configured: {', '.join(sorted(configured)) or 'none'}"
        missing = [name for name in ([model] if model is not None else configured) if not self._models.ready(name)]
        return f"no version available of: {', '.join(missing)}" if missing else None

    def drain(self) -> None:
        """From now on the server is not ready."""
        self._draining = True
