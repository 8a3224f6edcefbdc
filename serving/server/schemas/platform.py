"""PlatformConfigMap files: how models of a platform are loaded, in place of a dozen flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.protocol.status import invalid
from serving.server.batching_parameters import BatchingParameters
from serving.server.flag_table import processors
from serving.server.schemas import batching, pool, texts

MESSAGE = "tensorflow.serving.PlatformConfigMap"
ADAPTER = "tensorflow.serving.SavedModelBundleSourceAdapterConfig"

# Fields that upstream has and that mean nothing to this server.
_UNUSED = (
    "session_target",
    "session_run_load_threadpool_index",
    "experimental_transient_ram_bytes_during_load",
    "enable_session_metadata",
    "resource_estimation_uses_validation_result",
    "wrap_session_with_no_threading_params",
)


@dataclass(frozen=True)
class PlatformSettings:
    """How models of one platform are loaded: ``session_config`` is a serialized ConfigProto, ``unused`` names fields without effect."""

    session_config: bytes = b""
    batching: BatchingParameters | None = None
    enable_per_model_batching_parameters: bool = False
    saved_model_tags: tuple[str, ...] = ("serve",)
    enable_model_warmup: bool = False
    num_request_iterations_for_warmup: int = 0
    prefer_tflite_model: bool = False
    num_tflite_pools: int = 0
    num_tflite_interpreters_per_pool: int = 1
    unused: tuple[str, ...] = ()


def from_file(path: str) -> Mapping[str, PlatformSettings]:
    """The settings in a file, by platform. Raises StatusError."""
    return read(texts.read_file(path), path)


def read(text: str, where: str) -> Mapping[str, PlatformSettings]:
    """The settings in a text, by platform (a model names its own in ``model_platform``). Raises StatusError (INVALID_ARGUMENT)."""
    configs = texts.parse(text, MESSAGE, where, tensorflow=True).platform_configs
    return {name: _settings(_adapter(name, configs[name].source_adapter_config, where)) for name in sorted(configs)}


def _adapter(platform: str, packed: Any, where: str) -> Any:
    adapter: Any = pool.new(ADAPTER)
    if not packed.Is(adapter.DESCRIPTOR):
        raise invalid(f"{where}: platform {platform}: {packed.TypeName() or 'no source_adapter_config'}: only {ADAPTER} can be served")
    packed.Unpack(adapter)
    return adapter.legacy_config


def _settings(config: Any) -> PlatformSettings:
    given = {item.name for item, _ in config.ListFields()}
    return PlatformSettings(
        session_config=config.session_config.SerializeToString(),
        batching=batching.from_message(config.batching_parameters) if "batching_parameters" in given else None,
        enable_per_model_batching_parameters=config.enable_per_model_batching_params,
        saved_model_tags=tuple(config.saved_model_tags) or ("serve",),
        enable_model_warmup=config.enable_model_warmup,
        num_request_iterations_for_warmup=config.model_warmup_options.num_request_iterations.value,
        prefer_tflite_model=config.prefer_tflite_model,
        num_tflite_pools=config.num_tflite_pools or config.num_tflite_interpreters or processors(),
        num_tflite_interpreters_per_pool=config.num_tflite_interpreters_per_pool or 1,
        unused=tuple(name for name in _UNUSED if name in given),
    )
