"""The parts of a server process, put together as its flags say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from serving.server import admin
from serving.server.cluster import LocalCluster
from serving.server.core import Cluster, Core
from serving.server.flags import Flags
from serving.server.grpc_api import GrpcApi
from serving.server.health import Health
from serving.server.loader import ModelLoader, settings_of
from serving.server.manager import Manager, ManagerSettings
from serving.server.messages import CallOptions
from serving.server.metrics import Metrics
from serving.server.model_config import LoggingSettings, ModelConfig
from serving.server.models import Models
from serving.server.observers import LoadMetrics
from serving.server.pages import Pages
from serving.server.prediction_logs import PredictionLogs
from serving.server.profiler import Profiler
from serving.server.rest_api import RestApi
from serving.server.schemas import monitoring


@dataclass
class Parts:
    """Everything between the flags and the ports."""

    flags: Flags
    models: Models
    metrics: Metrics
    manager: Manager
    logs: PredictionLogs
    loader: ModelLoader
    local: LocalCluster
    health: Health
    core: Core
    metrics_path: str
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def grpc_api(self) -> GrpcApi:
        """The gRPC coat, with the services that stand beside it."""
        others = self.health.handlers() if self.flags.enable_grpc_healthcheck_service or not self.flags.strict else []
        if self.flags.enable_profiler:
            token, strict = self.core.admin_token, self.flags.strict
            # It writes files where the caller says: an admin call, too.
            profiler = Profiler(guard=lambda call: admin.refusal(call.peer(), call.invocation_metadata(), token, strict=strict))
            self._closing.append(profiler.close)
            others = [*others, *profiler.handlers()]
        return GrpcApi(self.core, others, self.health.drain)

    def rest_api(self) -> RestApi:
        """The REST coat."""
        return RestApi(self.core)

    def pages(self) -> Pages:
        """The pages beside the REST coat."""
        return Pages(self.core, self.metrics_path)

    def follow(self, configs: Sequence[ModelConfig]) -> None:
        """Let logs and metrics know which models there are. Raises StatusError, see `PredictionLogs.follow`."""
        self.metrics.set_models([config.name for config in configs])
        self.logs.follow(configs)

    def close(self) -> None:
        """Stop everything but the ports."""
        for close in self._closing:
            close()
        self.manager.stop()
        self.logs.close()


def assemble(flags: Flags, share: Callable[[LocalCluster, Metrics], Cluster] | None = None) -> Parts:
    """Make the parts; ``share`` makes one server of this process and others. Raises SluicewayError for files that cannot be used."""
    models, metrics = Models(), Metrics(strict=flags.strict)
    page = monitoring.from_file(flags.monitoring_config_file) if flags.monitoring_config_file else None
    loader = ModelLoader(settings_of(flags), metrics, strict=flags.strict)
    manager = Manager(models, loader.load, _manager_settings(flags), observer=LoadMetrics(metrics))

    everywhere = LoggingSettings(flags.prediction_log_prefix, flags.prediction_log_sampling_rate) if flags.prediction_log_prefix else None
    logs = PredictionLogs(metrics.logged, everywhere, strict=flags.strict)
    local = LocalCluster(models, manager, metrics, logs)
    core = Core(
        models=models,
        metrics=metrics,
        cluster=share(local, metrics) if share is not None else local,
        logs=logs,
        options=CallOptions(flags.enable_signature_method_name_check, flags.enable_serialization_as_tensor_content),
        rest_timeout_seconds=flags.rest_api_timeout_in_ms / 1000 if flags.rest_api_timeout_in_ms > 0 else None,
        strict=flags.strict,
        admin_token=admin.read_token(flags.admin_token_env, flags.admin_token_file),
    )
    health = Health(models, lambda: [config.name for config in manager.configs], strict=flags.strict)
    path = page.path if page is not None and page.enabled else ""
    return Parts(flags, models, metrics, manager, logs, loader, local, health, core, path)


def _manager_settings(flags: Flags) -> ManagerSettings:
    return ManagerSettings(
        poll_seconds=flags.file_system_poll_wait_seconds,
        retries=flags.max_num_load_retries,
        retry_interval_seconds=flags.load_retry_interval_micros / 1e6,
        strict=flags.strict,
        allow_version_labels_for_unavailable_models=flags.allow_version_labels_for_unavailable_models,
        num_load_threads=flags.num_load_threads,
        num_unload_threads=flags.num_unload_threads,
    )
