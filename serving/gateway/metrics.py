"""What is counted, for Prometheus. ``route`` is why a version was chosen: newest, arm, header or path."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Beyond so many they are counted together: each is a dozen series.
_MOST_NAMES = 200
OTHER = "(other)"


class Metrics:
    """The gateway's own counters in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "sluiceway_gateway_requests", "Requests answered.", ["model", "version", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "sluiceway_gateway_request_seconds",
            "From the request's head to the answer.",
            ["model", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.upstream_seconds = Histogram(
            "sluiceway_gateway_upstream_seconds", "The model server's part of it.", ["model"], buckets=_SECONDS, registry=self.registry
        )
        self.in_flight = Gauge("sluiceway_gateway_in_flight", "Requests under way.", ["model"], registry=self.registry)
        self.upstream_open = Gauge(
            "sluiceway_gateway_upstream_open", "1 while an upstream is left alone.", ["upstream"], registry=self.registry
        )
        self.shadow = Counter(
            "sluiceway_gateway_shadow", "Copies of requests, by how they came out.", ["model", "result"], registry=self.registry
        )
        self.shadow_difference = Histogram(
            "sluiceway_gateway_shadow_difference",
            "Largest difference between two numbers of the answers.",
            ["model"],
            buckets=(1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0),
            registry=self.registry,
        )
        self.reloads = Counter("sluiceway_gateway_config_reloads", "Changes of the configuration file.", ["result"], registry=self.registry)
        self._names: set[str] = set()

    def learn(self, model: str) -> None:
        """From now on a model is counted by its name: it is configured, or a server has answered for it."""
        if len(self._names) < _MOST_NAMES:
            self._names.add(model)

    def name(self, model: str) -> str:
        """The model's name as a label. Names that nobody has are one label: they come from strangers."""
        return model if model in self._names else OTHER

    def page(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self.registry)
