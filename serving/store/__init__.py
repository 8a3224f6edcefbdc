"""The version stores, by name. An entry is ``module:Class``; nothing is imported until it is asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.store.base import VersionStore

STORES = {
    "local": "serving.store.local:LocalStore",
}


def open_store(kind: str, path: str) -> VersionStore:
    """The store of a kind at a path."""
    module, _, name = STORES[kind].partition(":")
    store: VersionStore = getattr(importlib.import_module(module), name)(Path(path))
    return store
