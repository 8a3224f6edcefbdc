"""Where the sentence encoder comes from: what can be said of that without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from configs.errors import ConfigError
from configs.paths import expanded

KEY = "hparams.hub_handle"


def check(hparams: Mapping[str, Any]) -> None:
    """Whether the handle can be one; what is behind an address shows when it is loaded.

    Raises:
        ConfigError: the encoder ``hub`` is chosen and nothing can be behind its handle.
    """
    if hparams["encoder"] == "hub":
        check_handle(hparams["hub_handle"])


def check_handle(handle: str) -> None:
    """A folder here, or an address. Raises ConfigError."""
    if not handle:
        raise ConfigError(f"{KEY}: is empty; encoder hub needs a folder with a SavedModel, or the address of a text encoder on TF Hub")
    if "://" not in handle and not expanded(handle).is_dir():
        raise ConfigError(f"{KEY}: {handle!r} is no folder here, and no address (https://...) of a module on TF Hub")
