"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path

from configs.environment import EnvironmentConfig
from configs.errors import UsageError


def expanded(text: str) -> Path:
    """A path with ``~`` resolved.

    Raises:
        UsageError: it is empty, holds a NUL, or names a user that there is not.
    """
    if not text.strip() or "\0" in text:
        raise UsageError(f"{text!r} is not a path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text!r}: {error}") from error


def state_folder(environment: EnvironmentConfig) -> Path:
    """Where an environment keeps everything; a relative path starts at the working directory."""
    return expanded(environment.state).resolve()


def store_folder(environment: EnvironmentConfig) -> Path:
    """Where its versions are published."""
    return expanded(environment.store.path).resolve() if environment.store.path else state_folder(environment) / "store"
