"""What a new list of models means: why it would be refused, where its files are, what is said when it does not come up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from serving.protocol.status import Code, VersionStatus, invalid
from serving.server.model_config import TENSORFLOW_PLATFORM, ModelConfig

_URI = re.compile(r"([a-zA-Z][0-9a-zA-Z.]*)://([^/]*)(.*)", re.DOTALL)


def check_list(configs: Sequence[ModelConfig], *, strict: bool = False) -> None:
    """Raises StatusError (INVALID_ARGUMENT) for a model without a name (unless ``strict``), listed twice, or where it cannot be found."""
    names: set[str] = set()
    for config in configs:
        if not config.name and not strict:  # upstream loads it, although no request can ask for it
            raise invalid(f"the model at {config.base_path} has no name: no request could ask for it")
        if config.name in names:
            raise invalid(f"Illegal to list model {config.name} multiple times in config list")
        names.add(config.name)
    for config in configs:
        base_directory(config)


def base_directory(config: ModelConfig) -> Path:
    """The folder of a model's versions. Raises StatusError (INVALID_ARGUMENT) when it is not an absolute path or a ``file:`` URI."""
    match = _URI.fullmatch(config.base_path)
    scheme, path = (match[1], match[3]) if match else ("", config.base_path)
    if scheme not in ("", "file"):
        raise invalid(
            f"model {config.name}: base_path {config.base_path} is at {scheme}://, and this server reads local file systems only; "
            "give an absolute path or a file:// URI"
        )
    if not path.startswith("/"):
        raise invalid(f"Expected model {config.name} to have an absolute path or URI; got base_path()={config.base_path}")
    return Path(path)


def check_platforms(old: Sequence[ModelConfig], new: Sequence[ModelConfig]) -> None:
    """Raises StatusError (INVALID_ARGUMENT) when a model names no platform, or another one than before."""
    before = {config.name: _platform(config) for config in old}
    for config in new:
        platform = _platform(config)
        if (known := before.get(config.name, platform)) != platform:
            raise invalid(
                f"Illegal to change a model's platform. For model {config.name} platform was {known} "
                f"and new platform requested is {platform}"
            )


def check_supported(configs: Sequence[ModelConfig]) -> None:
    """Raises StatusError (INVALID_ARGUMENT) for a platform that is not TensorFlow's."""
    for config in configs:
        if (platform := _platform(config)) != TENSORFLOW_PLATFORM:
            raise invalid(f"Model {config.name} requests unsupported platform {platform}")


def _platform(config: ModelConfig) -> str:
    if not config.platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, "
            f"model name is {config.name}"
        )
    return config.platform


def new_names(old: Sequence[ModelConfig], new: Sequence[ModelConfig]) -> list[str]:
    """The models that are in the new list only, sorted."""
    return sorted({config.name for config in new} - {config.name for config in old})


def not_available(noun: str, failures: Mapping[str, Sequence[VersionStatus]]) -> str:
    """TF Serving's text for models that did not come up; `noun` is what it counts, version 0 stands for a model as a whole."""
    rows = [(name, status) for name in sorted(failures) for status in failures[name]]
    listed = "".join(f"{{{_servable(name, status)}{_reason(status)}}}, " for name, status in rows)
    return f"{len(rows)} {noun}(s) did not become available: {{{listed}}}"


def _servable(name: str, status: VersionStatus) -> str:
    return f"{{name: {name} version: {status.version}}}" if status.version else f"{{name: {name}}}"


def _reason(status: VersionStatus) -> str:
    return f" due to error: {status.code.name}: {status.message}" if status.code is not Code.OK else ""
