"""A launcher got ready ahead of the gate: a server's start is mostly imports, which need no model."""

from __future__ import annotations

from serving.launchers import open_launcher
from serving.launchers.base import Launcher
from serving.launchers.target import Target

_READY: dict[Target, Launcher] = {}


def prepare(target: Target, model_name: str) -> None:
    """Boot a server without a model, to be taken by the gate later in this process."""
    if target not in _READY:
        _READY[target] = open_launcher(target)
    _READY[target].prepare(model_name=model_name)


def take(target: Target) -> Launcher:
    """The launcher that was got ready, or a new one. The caller closes it."""
    return _READY.pop(target, None) or open_launcher(target)


def dismiss() -> None:
    """Stop whatever was got ready and never taken."""
    while _READY:
        _READY.popitem()[1].close()
