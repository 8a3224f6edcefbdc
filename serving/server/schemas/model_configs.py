"""ModelServerConfig, from a file or a reload request: the models to serve, with their policies, labels and logs.

Whether such a list may be served (names, paths, platforms) is decided in ``serving/server/reload.py``.
"""

from __future__ import annotations

import logging
from typing import Any

from google.protobuf.message import DecodeError

from serving.protocol.status import Code, StatusError, invalid
from serving.server.model_config import TENSORFLOW_PLATFORM, LoggingSettings, ModelConfig, VersionPolicy
from serving.server.schemas import pool, texts

log = logging.getLogger(__name__)

MESSAGE = "tensorflow.serving.ModelServerConfig"
_UNSPECIFIED, _TENSORFLOW = 0, 1  # ModelType


def from_file(path: str) -> tuple[ModelConfig, ...] | None:
    """The models in a file, None when it sets no config. Raises StatusError."""
    return read_text(texts.read_file(path), path)


def read_text(text: str, where: str) -> tuple[ModelConfig, ...] | None:
    """The models in a text: none at all is a config too, None means that none is set, and then nothing is to be done.

    Raises StatusError: INVALID_ARGUMENT in upstream's words, UNIMPLEMENTED for a custom config (upstream's process dies of it).
    """
    message = texts.parse(text, MESSAGE, where)
    chosen = message.WhichOneof("config")
    if chosen == "custom_model_config":
        raise StatusError(Code.UNIMPLEMENTED, "ModelServer does not yet support custom model config.")
    if chosen is None:
        return None
    return _models(message.model_config_list)


def from_bytes(serialized: bytes) -> tuple[ModelConfig, ...]:
    """The models of a reload request's serialized config. Raises StatusError (INVALID_ARGUMENT) in upstream's words."""
    message: Any = pool.new(MESSAGE)
    try:
        message.ParseFromString(serialized)
    except DecodeError as error:
        raise invalid(f"the config of the request is not a serialized {MESSAGE}: {error}") from error
    if message.WhichOneof("config") != "model_config_list":
        raise invalid("ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported")
    return _models(message.model_config_list)


def _models(listed: Any) -> tuple[ModelConfig, ...]:
    return tuple(_model(config) for config in listed.config)


def _model(config: Any) -> ModelConfig:
    return ModelConfig(
        name=config.name,
        base_path=config.base_path,
        platform=_platform(config),
        policy=_policy(config.model_version_policy),
        labels=dict(config.version_labels),
        logging=_logging(config) if config.HasField("logging_config") else None,
    )


def _platform(config: Any) -> str:
    platform = str(config.model_platform)
    if config.model_type != _UNSPECIFIED:
        log.warning("model %s: model_type is deprecated: say model_platform: 'tensorflow'", config.name)
        if platform:
            raise invalid("Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform.")
        if config.model_type != _TENSORFLOW:
            raise invalid(f"ModelServerConfig::model_type choice {config.model_type} not supported.")
        return TENSORFLOW_PLATFORM
    return platform


def _policy(message: Any) -> VersionPolicy:
    kind = message.WhichOneof("policy_choice")
    if kind == "all":
        return VersionPolicy("all")
    if kind == "specific":
        return VersionPolicy("specific", versions=tuple(message.specific.versions))
    return VersionPolicy("latest", num_versions=max(message.latest.num_versions, 1))


def _logging(config: Any) -> LoggingSettings:
    message = config.logging_config
    for name, given in (
        ("sampling_config.per_task_sampling_configs", message.sampling_config.per_task_sampling_configs),
        ("custom_logging_config", message.HasField("custom_logging_config")),
    ):
        if given:
            log.warning("model %s: logging_config.%s has no effect", config.name, name)
    prefix, rate = message.log_collector_config.filename_prefix, message.sampling_config.sampling_rate
    if not 0 <= rate <= 1:
        raise invalid(f"model {config.name}: logging_config.sampling_config.sampling_rate: {rate:g} is not between 0 and 1")
    if rate and not prefix:
        raise invalid(f"model {config.name}: logging_config.log_collector_config.filename_prefix is empty: say where the log goes")
    return LoggingSettings(prefix=prefix, sampling_rate=rate, collector=message.log_collector_config.type)
