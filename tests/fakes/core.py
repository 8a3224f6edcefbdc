"""The shared parts of a server around models that a test chooses: real ones, except that nothing follows a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving.server.cluster import LocalCluster
from serving.server.core import Core
from serving.server.grpc_api import GrpcApi
from serving.server.listeners import GrpcSettings, Listeners, RestSettings
from serving.server.manager import Manager, ManagerSettings
from serving.server.metrics import Metrics
from serving.server.model_config import LoggingSettings, ModelConfig
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.prediction_logs import PredictionLogs
from serving.server.rest_api import RestApi
from serving.server.servable import Servable
from tests.fakes.servable import FakeServable


def _load(config: ModelConfig, path: Path) -> Servable:
    del config, path
    return FakeServable()


def core_of(models: Models, *, log: LoggingSettings | None = None, configured: Sequence[str] = (), **settings: Any) -> Core:
    """A core over `models`. The configured ones are said to be, but not looked for."""
    metrics = Metrics()
    manager = Manager(models, _load, ManagerSettings(poll_seconds=-1))
    logs = PredictionLogs(metrics.logged, log)
    configs = [ModelConfig(name, f"/nowhere/{name}") for name in configured]
    if configs:
        manager.start(configs)
    metrics.set_models(configured)
    logs.follow(configs)
    return Core(models=models, metrics=metrics, cluster=LocalCluster(models, manager, metrics, logs), logs=logs, **settings)


def listen(
    models: Models, *, grpc: GrpcSettings | None = None, rest: RestSettings | None = None, both: bool = True, metrics_path: str = ""
) -> Listeners:
    """Ports on the loopback interface, any free ones unless settings say which; without ``both`` only those with settings."""
    core = core_of(models)
    if both:
        grpc, rest = grpc or GrpcSettings(), rest or RestSettings()
    return Listeners(GrpcApi(core), RestApi(core), Pages(core, metrics_path), grpc, rest)
