"""Ways to boot a model server, by name. Importing this imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from configs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.launchers.base import Launcher

LAUNCHERS = {
    "embedded": "serving.launchers.embedded:EmbeddedLauncher",
}


def load(name: str) -> Callable[[], Launcher]:
    """The launcher class of that name; call it without arguments. Raises UsageError for an unknown name."""
    if name not in LAUNCHERS:
        raise UsageError(f"unknown launcher {name!r}; allowed: {', '.join(LAUNCHERS)}")
    module, _, attribute = LAUNCHERS[name].partition(":")
    return cast("Callable[[], Launcher]", getattr(import_module(module), attribute))
