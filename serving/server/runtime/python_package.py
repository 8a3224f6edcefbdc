"""Modules of TensorFlow's Python package without the package's own start, for the few things its C library cannot do."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from types import ModuleType
from typing import Any


class _Untouched(ModuleType):
    """The package ``tensorflow`` before its ``__init__`` has run; the first public name asked of it runs it.

    That file imports Keras, the v1 and v2 API trees and more: two thirds of TensorFlow's start time, none of it needed here. Submodules can
    be imported meanwhile, and a later ``import tensorflow as tf`` still finds everything.
    """

    def __getattr__(self, name: str) -> Any:
        if (name.startswith("__") and name != "__version__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def import_without_init(module: str) -> ModuleType:
    """Import a submodule of tensorflow by its full dotted name. Raises ImportError."""
    spec = importlib.util.find_spec("tensorflow")
    if "tensorflow" not in sys.modules and spec is not None and spec.submodule_search_locations:
        package = _Untouched("tensorflow")
        package.__spec__, package.__file__ = spec, spec.origin
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["tensorflow"] = package
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return importlib.import_module(module)
