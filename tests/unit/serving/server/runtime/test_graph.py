"""Graphs that would load and never answer are found before they are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server.runtime import graph

SERVE = ("serve",)


def node(op: str, name: str = "n") -> wire.NodeDef:
    return wire.NodeDef(name=name, op=op)


def meta_graph(*nodes: wire.NodeDef, inner: tuple[wire.NodeDef, ...] = (), tags=SERVE, restores: bool = False) -> wire.MetaGraphDef:
    """``inner``: nodes of a function of the graph, where all of TensorFlow 2's operations are."""
    library = wire.FunctionDefLibrary(function=[wire.FunctionDef(node_def=inner)])
    return wire.MetaGraphDef(
        meta_info_def=wire.MetaInfoDef(tags=tags),
        graph_def=wire.GraphDef(node=nodes, library=library),
        saver_def=wire.SaverDef(restore_op_name="restore" if restores else ""),
    )


def problem(path: Path, *graphs: wire.MetaGraphDef, tags=SERVE) -> str | None:
    (path / "saved_model.pb").write_bytes(wire.SavedModel(meta_graphs=graphs).SerializeToString())
    return graph.problem(path, tags)


def test_nothing_speaks_against_a_graph_of_tensorflows_operations(tmp_path):
    assert problem(tmp_path, meta_graph(node("Mul"))) is None


@pytest.mark.parametrize("op", ["PyFunc", "PyFuncStateless", "EagerPyFunc"])
@pytest.mark.parametrize("inside", [False, True])
def test_python_functions_are_named(tmp_path, op, inside):
    nodes = (node(op, "mine"), node("Mul"))
    found = problem(tmp_path, meta_graph(inner=nodes) if inside else meta_graph(*nodes))
    assert found == (
        f"{tmp_path}: the graph calls Python functions, which exist only in the process that made them: mine ({op}); "
        "replace tf.py_function and tf.numpy_function by TensorFlow operations"
    )


def test_of_many_python_functions_five_are_named(tmp_path):
    found = problem(tmp_path, meta_graph(*(node("PyFunc", f"f{number}") for number in range(9))))
    assert "f4 (PyFunc); replace" in found


@pytest.mark.parametrize("op", ["VarHandleOp", "Variable", "VariableV2"])
def test_variables_without_their_index_are_lost(tmp_path, op):
    lost = meta_graph(node(op), restores=True)
    index = tmp_path / "variables" / "variables.index"
    assert problem(tmp_path, lost) == f"{tmp_path}: the graph has variables, and {index} is missing"
    index.parent.mkdir()
    index.touch()
    assert problem(tmp_path, lost) is None


def test_a_graph_that_restores_nothing_needs_no_index(tmp_path):
    assert problem(tmp_path, meta_graph(node("VarHandleOp"))) is None
    assert problem(tmp_path, meta_graph(node("Mul"), restores=True)) is None


def test_only_the_graph_with_the_wanted_tags_is_looked_at(tmp_path):
    bad, good = meta_graph(node("PyFunc"), tags=["train", "serve"]), meta_graph(node("Mul"))
    assert problem(tmp_path, bad, good) is None
    assert problem(tmp_path, bad, good, tags=("serve", "train")) is not None
    assert problem(tmp_path, bad, good, tags=("tpu",)) is None  # the loader says which tags there are


def test_a_model_in_text_form_is_left_to_the_loader(tmp_path):
    assert graph.problem(tmp_path, SERVE) is None


def test_a_file_that_is_cut_off_is_named(tmp_path):
    file = tmp_path / "saved_model.pb"
    file.write_bytes(wire.SavedModel(meta_graphs=[meta_graph(node("Mul"))]).SerializeToString()[:-2])
    assert graph.problem(tmp_path, SERVE) == f"{file} cannot be parsed: it is cut off, or no SavedModel"


def test_a_file_that_cannot_be_read_now_is_worth_another_try(tmp_path, monkeypatch):
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StatusError, match=r"saved_model\.pb cannot be read: Permission denied") as caught:
        graph.problem(tmp_path, SERVE)
    assert caught.value.code is Code.UNAVAILABLE


def test_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "saved_model.pb").mkdir()
    assert graph.problem(tmp_path, SERVE) == f"{tmp_path / 'saved_model.pb'} is not a file"
