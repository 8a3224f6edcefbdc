"""What a saved_model.pb says before anything is loaded: why this graph could never answer, although TensorFlow's loader would take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.message import DecodeError

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError

SAVED_MODEL_FILE = "saved_model.pb"
VARIABLES_INDEX = Path("variables") / "variables.index"

# A function written in Python lives in the process that made it. Such a graph loads, and its first request fails.
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})
_SHOWN = 5


def problem(path: Path, tags: Sequence[str]) -> str | None:
    """Why the graph with these tags in the version directory `path` can answer nothing; None when nothing speaks against it.

    Raises StatusError (UNAVAILABLE) when the file is there and cannot be read.
    """
    file = path / SAVED_MODEL_FILE
    try:
        saved = wire.SavedModel.FromString(file.read_bytes())
    except FileNotFoundError:
        return None  # there may be a saved_model.pbtxt
    except IsADirectoryError:
        return f"{file} is not a file"
    except OSError as error:  # a file system that falters, or rights that are still to come: worth another try
        raise StatusError(Code.UNAVAILABLE, f"{file} cannot be read: {error.strerror or error}") from error
    except DecodeError:
        return f"{file} cannot be parsed: it is cut off, or no SavedModel"
    for graph in saved.meta_graphs:
        if set(graph.meta_info_def.tags) == set(tags):
            return _python_functions(path, graph) or _lost_variables(path, graph)
    return None


def _python_functions(path: Path, graph: wire.MetaGraphDef) -> str | None:
    found = sorted({f"{node.name} ({node.op})" for node in _nodes(graph.graph_def) if node.op in _PYTHON})
    if not found:
        return None
    return (
        f"{path}: the graph calls Python functions, which exist only in the process that made them: {', '.join(found[:_SHOWN])}; "
        "replace tf.py_function and tf.numpy_function by TensorFlow operations"
    )


def _lost_variables(path: Path, graph: wire.MetaGraphDef) -> str | None:
    """TensorFlow restores variables only if their index is there, and says nothing when it is not."""
    if not graph.saver_def.restore_op_name or (path / VARIABLES_INDEX).is_file():
        return None
    if any(node.op in _VARIABLES for node in _nodes(graph.graph_def)):
        return f"{path}: the graph has variables, and {path / VARIABLES_INDEX} is missing"
    return None


def _nodes(graph: wire.GraphDef) -> Iterator[wire.NodeDef]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def
