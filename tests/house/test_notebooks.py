"""Notebooks are thin: they call the product, define nothing, and are kept without anything that a run left in them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import PACKAGES, ROOT, place, plant

FOLDER = "notebooks"
NAMES = ["01_first_run", "02_look_at_the_data", "03_look_at_the_model", "04_serve_and_go_back"]
MOST_CODE_CELLS = 12
MOST_LINES = 25
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def notebooks(root: Path) -> list[Path]:
    return sorted((root / FOLDER).glob("*.ipynb"))


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell: dict[str, Any]) -> str:
    """A cell's text, which the format keeps as a text or as a list of lines."""
    return "".join(cell["source"])


def python(cell: dict[str, Any]) -> ast.Module:
    """The syntax tree of a code cell; empty for one that is a shell's."""
    text = source(cell)
    return ast.parse("" if text.startswith("%%") else text)


def leftovers(path: Path) -> Iterator[str]:
    """What a run leaves in a notebook."""
    for cell in cells(path):
        if cell["cell_type"] == "code" and cell["outputs"]:
            yield "stored outputs"
        if cell["cell_type"] == "code" and cell["execution_count"] is not None:
            yield "an execution count"


def thickness(path: Path) -> Iterator[str]:
    """What makes a notebook more than a thin one."""
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    if len(code) > MOST_CODE_CELLS:
        yield f"{len(code)} code cells, at most {MOST_CODE_CELLS}"
    for cell in code:
        if (lines := len(source(cell).splitlines())) > MOST_LINES:
            yield f"a cell of {lines} lines, at most {MOST_LINES}"
        yield from (f"defines {getattr(node, 'name', 'a lambda')}" for node in ast.walk(python(cell)) if isinstance(node, DEFINITIONS))


def silence(path: Path) -> Iterator[str]:
    """Code cells that nobody introduces."""
    before = ""
    for cell in cells(path):
        if cell["cell_type"] == "code" and before != "markdown":
            yield f"no words before: {source(cell).splitlines()[0]}"
        before = cell["cell_type"]


def private(path: Path) -> Iterator[str]:
    """Names of our packages that are not for others."""
    for cell in cells(path):
        for node in ast.walk(python(cell)) if cell["cell_type"] == "code" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
                dotted = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (f"imports {name}" for name in dotted if any(part.startswith("_") for part in name.split(".")))
            elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                yield f"reaches for {node.attr}"


RULES = (leftovers, thickness, silence, private)


def faults(root: Path) -> list[str]:
    return [f"{place(root, path)}: {fault}" for path in notebooks(root) for rule in RULES for fault in rule(path)]


def test_there_are_four():
    assert [path.stem for path in notebooks(ROOT)] == NAMES


def test_notebooks_are_thin_and_clean():
    assert faults(ROOT) == []


def test_each_is_told_of_on_the_page():
    page = (ROOT / FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"({name}.ipynb)" not in page] == []


def test_they_are_of_one_format_and_name_no_kernel_of_one_machine():
    for path in notebooks(ROOT):
        document = json.loads(path.read_text(encoding="utf-8"))
        assert (document["nbformat"], document["metadata"]["kernelspec"]["name"]) == (4, "python3"), path.name
        assert "version" not in document["metadata"]["language_info"], path.name


WORDS = {"cell_type": "markdown", "source": "Words."}


def code(text: str, **changed: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": text.splitlines(keepends=True), "outputs": [], "execution_count": None, **changed}


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ([WORDS, code("1", outputs=[{"output_type": "stream"}])], "stored outputs"),
        ([WORDS, code("1", execution_count=3)], "an execution count"),
        ([WORDS, code("def load():\n    pass")], "defines load"),
        ([WORDS, code("class Model:\n    pass")], "defines Model"),
        ([WORDS, code("key = lambda row: row")], "defines a lambda"),
        ([WORDS, code("x = 1\n" * 26)], "a cell of 26 lines, at most 25"),
        ([WORDS, code("1")] * 13, "13 code cells, at most 12"),
        ([WORDS, code("1"), code("2")], "no words before: 2"),
        ([WORDS, code("from serving.store.local import _sync_tree")], "imports serving.store.local._sync_tree"),
        ([WORDS, code("store._home('taxi')")], "reaches for _home"),
    ],
)
def test_what_does_not_belong_in_a_notebook_is_reported(planted, fault, tmp_path):
    plant(tmp_path, {"notebooks/a.ipynb": json.dumps({"cells": planted})})
    assert faults(tmp_path) == [f"notebooks/a.ipynb: {fault}"]


def test_a_shell_cell_is_not_read_as_python(tmp_path):
    plant(tmp_path, {"notebooks/a.ipynb": json.dumps({"cells": [WORDS, code("%%bash\nsluiceway run taxi --env smoke")]})})
    assert faults(tmp_path) == []
