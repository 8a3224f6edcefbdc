"""A SavedModel on the TensorFlow runtime. The only file of the server that imports TensorFlow."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from serving.protocol import metadata
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, StatusError

Array = np.ndarray[Any, Any]
_Callable = Any  # TensorFlow's session callables have no public type

TAGS = ("serve",)


class _Untouched(ModuleType):
    """The package ``tensorflow`` before its ``__init__`` has run; the first public name asked of it runs it.

    That file imports Keras, the v1 and v2 API trees and more: two thirds of TensorFlow's start time, none of it needed to
    run a graph. Submodules can be imported meanwhile, and a later ``import tensorflow as tf`` still finds everything.
    """

    def __getattr__(self, name: str) -> Any:
        if (name.startswith("__") and name != "__version__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def import_runtime() -> str:
    """Import what running a SavedModel needs, as little as possible, and return TensorFlow's version. Takes seconds."""
    spec = importlib.util.find_spec("tensorflow")
    if "tensorflow" not in sys.modules and spec is not None and spec.submodule_search_locations:
        package = _Untouched("tensorflow")
        package.__spec__, package.__file__ = spec, spec.origin
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["tensorflow"] = package
    from tensorflow.core.framework import versions_pb2  # noqa: F401  a message the loader resolves by name
    from tensorflow.python.client import session  # noqa: F401
    from tensorflow.python.framework import versions
    from tensorflow.python.lib.io import tf_record  # noqa: F401
    from tensorflow.python.saved_model import loader_impl  # noqa: F401

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # deprecation notes of the v1 loader, which has no successor here
    return str(versions.VERSION)


class SavedModel:
    """One SavedModel in one session.

    Session callables are used instead of ``Session.run``: they follow the C++ server, which takes a feed whose shape differs
    from the placeholder's, and they release the interpreter lock while the graph runs.
    """

    def __init__(self, session: Any, signature_defs: Mapping[str, wire.SignatureDef]) -> None:
        self._session = session
        self._callables: dict[tuple[tuple[str, ...], tuple[str, ...]], _Callable] = {}
        self._lock = threading.Lock()
        self.signature_defs = dict(signature_defs)
        self.signatures: Mapping[str, SignatureSpec] = metadata.from_messages(signature_defs)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Feed and fetch tensors by their names in the graph. Raises StatusError with the runtime's own code and text."""
        names = tuple(sorted(feeds))  # one order, so that one set of tensors has one compiled callable
        from tensorflow.python.framework import errors_impl

        try:
            result = self._callable(names, tuple(fetches))(*[feeds[name] for name in names])
        except errors_impl.OpError as error:
            raise StatusError(Code(error.error_code), str(error.message)) from error
        except (TypeError, ValueError) as error:
            raise StatusError(Code.INVALID_ARGUMENT, str(error)) from error
        return [np.asarray(value) for value in result]

    def _callable(self, feeds: tuple[str, ...], fetches: tuple[str, ...]) -> _Callable:
        key = (feeds, fetches)
        with self._lock:
            if key not in self._callables:
                from tensorflow.core.protobuf import config_pb2

                options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
                self._callables[key] = self._session._make_callable_from_options(options)  # the C++ semantics have no public name
            return self._callables[key]

    def close(self) -> None:
        """Free the session; callables go first, they hold a reference to it."""
        self._callables.clear()
        self._session.close()


def load(path: Path, tags: Sequence[str] = TAGS) -> SavedModel:
    """Load a SavedModel, made by TensorFlow 1 or 2, and run its init op. Raises StatusError with one line that says why not."""
    import_runtime()
    from tensorflow.python.client import session
    from tensorflow.python.framework import errors_impl, ops
    from tensorflow.python.saved_model import loader_impl

    graph = ops.Graph()
    opened = session.Session(graph=graph)
    try:
        with graph.as_default():
            meta_graph = loader_impl.load(opened, list(tags), str(path))
        signatures = {name: wire.SignatureDef.FromString(message.SerializeToString()) for name, message in meta_graph.signature_def.items()}
    except errors_impl.OpError as error:
        opened.close()
        raise StatusError(Code(error.error_code), _one_line(path, str(error.message))) from error
    except Exception as error:  # the Python loader raises whatever the broken file makes it stumble over
        opened.close()
        code = Code.DATA_LOSS if isinstance(error, OSError) else Code.INVALID_ARGUMENT
        raise StatusError(code, _one_line(path, str(error) or type(error).__name__)) from error
    return SavedModel(opened, signatures)


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a TFRecord file. Raises StatusError (DATA_LOSS) when it is not one."""
    from tensorflow.python.framework import errors_impl
    from tensorflow.python.lib.io import tf_record

    try:
        yield from tf_record.tf_record_iterator(str(path))
    except errors_impl.OpError as error:
        message = f"{path}: {error.message}. Please verify your warmup data is in TFRecord format."
        raise StatusError(Code(error.error_code), message) from error


def _one_line(path: Path, message: str) -> str:
    """The first lines of a runtime error, without the stack of graph definitions that follows."""
    text = message.split("\n\nOriginal stack trace", 1)[0].split("\n\nErrors may have originated", 1)[0]
    return f"{path}: {' '.join(text.split())[:1000]}"
