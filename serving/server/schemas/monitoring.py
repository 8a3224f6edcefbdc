"""MonitoringConfig files: whether Prometheus metrics are offered, and where."""

from __future__ import annotations

from dataclasses import dataclass

from serving.protocol.status import invalid
from serving.server.schemas import texts

MESSAGE = "tensorflow.serving.MonitoringConfig"
DEFAULT_PATH = "/monitoring/prometheus/metrics"


@dataclass(frozen=True)
class MonitoringSettings:
    """Metrics on the REST port, at ``path``; off without a configuration file."""

    enabled: bool = False
    path: str = DEFAULT_PATH


def from_file(path: str) -> MonitoringSettings:
    """The settings in a file. Raises StatusError."""
    return read(texts.read_file(path), path)


def read(text: str, where: str) -> MonitoringSettings:
    """The settings in a text. Raises StatusError (INVALID_ARGUMENT)."""
    prometheus = texts.parse(text, MESSAGE, where).prometheus_config
    if prometheus.path and not prometheus.path.startswith("/"):
        raise invalid(f"{where}: prometheus_config.path: {prometheus.path} does not begin with /: no request could reach it")
    return MonitoringSettings(enabled=prometheus.enable, path=prometheus.path or DEFAULT_PATH)
