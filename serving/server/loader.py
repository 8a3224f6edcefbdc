"""How a version directory becomes a model that may answer: verified, loaded, put behind a batch queue, warmed up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.protocol.status import Code, StatusError, invalid
from serving.server import precedence, savedmodel, tfrecord, version_dirs, warmup
from serving.server.batching.batched import BatchedServable
from serving.server.batching.scheduler import BatchScheduler
from serving.server.batching_parameters import BatchingParameters
from serving.server.flags import Flags
from serving.server.messages import CallOptions
from serving.server.metrics import Metrics
from serving.server.model_config import TENSORFLOW_PLATFORM, ModelConfig
from serving.server.observers import BatchingMetrics
from serving.server.runtime.session import SessionModel
from serving.server.schemas import batching, platform, session
from serving.server.servable import Servable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadSettings:
    """How models of one platform are loaded. ``batching`` None: not batched; ``own_threads``: a model may bring threads that run it."""

    options: savedmodel.LoadOptions
    batching: BatchingParameters | None = None
    per_model_batching: bool = False
    warmup: bool = True
    warmup_iterations: int = 1
    calls: CallOptions = CallOptions()
    own_threads: bool = False


def settings_of(flags: Flags) -> Mapping[str, LoadSettings]:
    """By platform. Raises StatusError for files that cannot be read."""
    calls = CallOptions(flags.enable_signature_method_name_check, flags.enable_serialization_as_tensor_content)
    if flags.platform_config_file:
        platforms = platform.from_file(flags.platform_config_file)
        for name, found in platforms.items():
            if found.unused:
                log.warning("%s: platform %s: no effect here: %s", flags.platform_config_file, name, ", ".join(found.unused))
        return {
            name: LoadSettings(
                savedmodel.LoadOptions(
                    found.saved_model_tags,
                    found.session_config,
                    found.prefer_tflite_model,
                    max(1, found.num_tflite_pools * found.num_tflite_interpreters_per_pool),
                    flags.strict,
                ),
                found.batching,
                found.enable_per_model_batching_parameters,
                found.enable_model_warmup,
                found.num_request_iterations_for_warmup,
                calls,
                bool(found.session_config),
            )
            for name, found in platforms.items()
        }
    options = savedmodel.LoadOptions(
        tuple(tag.strip() for tag in flags.saved_model_tags.split(",")),
        session.from_file_and_flags(flags),
        flags.prefer_tflite_model,
        max(1, flags.num_tflite_pools * flags.num_tflite_interpreters_per_pool),
        flags.strict,
    )
    parameters = None
    if flags.enable_batching:
        parameters = batching.from_file(flags.batching_parameters_file) if flags.batching_parameters_file else batching.without_file()
    return {
        TENSORFLOW_PLATFORM: LoadSettings(
            options,
            parameters,
            flags.enable_per_model_batching_parameters,
            flags.enable_model_warmup,
            flags.num_request_iterations_for_warmup,
            calls,
            bool(flags.tensorflow_session_config_file),
        )
    }


class ModelLoader:
    """Loads versions of all models of a server; may be called from many threads."""

    def __init__(self, settings: Mapping[str, LoadSettings], metrics: Metrics, *, strict: bool = False) -> None:
        self._settings, self._metrics, self._strict = settings, metrics, strict
        shared = next((one.batching for one in settings.values() if one.batching is not None), None)
        self._scheduler, self._observer = None, None
        self._runtime_threads = False
        if shared is not None:
            self._scheduler = BatchScheduler(shared.num_batch_threads, shared.thread_pool_name)
            self._observer = BatchingMetrics(metrics, shared.thread_pool_name)

    def load(self, config: ModelConfig, path: Path) -> Servable:
        """A model that may answer. Raises StatusError with one line that says why there is none."""
        settings = self._settings.get(config.platform)
        if settings is None:
            raise invalid(f"Model {config.name} requests unsupported platform {config.platform}")
        # TensorFlow makes the threads that run all models when it loads the first: those must not give way for ever.
        if self._runtime_threads and not settings.own_threads:
            return precedence.give_way(lambda: self._load(config, path, settings))
        return self._load(config, path, settings)

    def _load(self, config: ModelConfig, path: Path, settings: LoadSettings) -> Servable:
        if not self._strict:
            version_dirs.verify(path)
        model = savedmodel.load(path, settings.options)
        self._runtime_threads = self._runtime_threads or isinstance(model, SessionModel)
        try:
            model = self._batched(config.name, path, settings, model)
            self._warm_up(path, settings, model)
        except StatusError:
            model.close()
            raise
        return model

    def _batched(self, name: str, path: Path, settings: LoadSettings, model: Servable) -> Servable:
        parameters = settings.batching
        if parameters is None or self._scheduler is None:
            return model
        if settings.per_model_batching:
            own = path / batching.PER_MODEL_FILE
            if not own.is_file():
                return model
            try:
                parameters = batching.of_model(own.read_text(encoding="utf-8"), str(own), parameters)
            except (OSError, UnicodeDecodeError) as error:
                raise StatusError(Code.INVALID_ARGUMENT, f"{own} cannot be read: {error}") from error
        return BatchedServable(model, parameters, self._scheduler, strict=self._strict, observer=self._observer, name=name)

    def _warm_up(self, path: Path, settings: LoadSettings, model: Servable) -> None:
        records = path / warmup.WARMUP_FILE
        if not settings.warmup or not records.is_file():
            return

        def note(report: warmup.WarmupReport) -> None:
            self._metrics.warmed_up(str(path), report.code, report.records, report.seconds * 1e6)

        count = warmup.warm_up(
            model, records, tfrecord.read(records, strict=self._strict), settings.warmup_iterations, settings.calls, note
        )
        log.info("warmed up %s with %d records", path, count)

    def close(self) -> None:
        """End the threads of batching, when no model is left."""
        if self._scheduler is not None:
            self._scheduler.close()
