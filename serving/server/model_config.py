"""What a server is told to serve, as plain values: models, where their versions lie, which of them are wanted, their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TENSORFLOW_PLATFORM = "tensorflow"


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions under a base path are wanted: the newest ``num_versions``, all, or exactly ``versions``."""

    kind: Literal["latest", "all", "specific"] = "latest"
    num_versions: int = 1
    versions: tuple[int, ...] = ()


@dataclass(frozen=True)
class LoggingSettings:
    """A sampled log of requests and answers: files that begin with ``prefix`` get ``sampling_rate`` (0 to 1) of them."""

    prefix: str
    sampling_rate: float
    collector: str = ""


@dataclass(frozen=True)
class ModelConfig:
    """One model of a server."""

    name: str
    base_path: str
    platform: str = TENSORFLOW_PLATFORM
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)
    logging: LoggingSettings | None = None
