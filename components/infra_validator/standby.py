"""A launcher got ready ahead of the gate: a server's start is mostly imports, which need no model."""

from __future__ import annotations

from serving.launchers import load
from serving.launchers.base import Launcher

_READY: dict[str, Launcher] = {}


def prepare(name: str, model_name: str) -> None:
    """Boot a server without a model, to be taken by the gate later in this process."""
    if name not in _READY:
        _READY[name] = load(name)()
    _READY[name].prepare(model_name=model_name)


def take(name: str) -> Launcher:
    """The launcher that was got ready, or a new one. The caller closes it."""
    return _READY.pop(name, None) or load(name)()


def dismiss() -> None:
    """Stop whatever was got ready and never taken."""
    while _READY:
        _READY.popitem()[1].close()
