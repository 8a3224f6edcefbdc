"""House rule 6: files and functions stay readable at one go, and no file is called by what it is not."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, place, plant, python_files, syntax

FILE_LIMIT = 300
FUNCTION_LIMIT = 50
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
FOLDERS = (*PACKAGES, "tests", "benchmarks")


def long_files(root: Path) -> list[str]:
    """Files of more than FILE_LIMIT lines."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(root, *FOLDERS)}
    return [f"{place(root, path)}: {lines} lines, at most {FILE_LIMIT}" for path, lines in lengths.items() if lines > FILE_LIMIT]


def long_functions(root: Path) -> list[str]:
    """Functions of more than FUNCTION_LIMIT lines, decorators and docstring not counted."""
    found = []
    for path in python_files(root, *FOLDERS):
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                has_docstring = ast.get_docstring(node) is not None
                first = node.body[0]
                docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
                lines = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
                if lines > FUNCTION_LIMIT:
                    found.append(f"{place(root, path, node.lineno)}: {node.name} has {lines} lines, at most {FUNCTION_LIMIT}")
    return found


def nameless(root: Path) -> list[str]:
    """Files and folders called utils and the like."""
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    return [place(root, path) for path in found if path.stem in NAMELESS and "__pycache__" not in path.parts]


def test_files_are_short():
    assert long_files(ROOT) == []


def test_functions_are_short():
    assert long_functions(ROOT) == []


def test_files_are_called_by_what_they_do():
    assert nameless(ROOT) == []


def test_a_long_file_is_reported(tmp_path):
    plant(tmp_path, {"serving/long.py": "x = 1\n" * 301, "serving/fits.py": "x = 1\n" * 300, "serving/made_pb2.py": "x = 1\n" * 999})
    assert long_files(tmp_path) == ["serving/long.py: 301 lines, at most 300"]


def test_a_long_function_is_reported(tmp_path):
    body = "    x = 1\n"
    plant(
        tmp_path,
        {"pipeline/a.py": f"def fits():\n{body * 49}\n\ndef long():\n{body * 50}", "tests/b.py": f"async def long():\n{body * 50}"},
    )
    assert long_functions(tmp_path) == [
        "pipeline/a.py:53: long has 51 lines, at most 50",
        "tests/b.py:1: long has 51 lines, at most 50",
    ]


def test_a_docstring_does_not_make_a_function_long(tmp_path):
    docstring = '    """One.\n' + "\n    Two.\n" * 10 + '    """\n'
    plant(tmp_path, {"pipeline/a.py": "def fits():\n" + docstring + "    x = 1\n" * 49})
    assert long_functions(tmp_path) == []


def test_a_nameless_file_is_reported(tmp_path):
    plant(tmp_path, {"serving/utils.py": "", "components/common/x.py": "", "configs/useful.py": ""})
    assert sorted(nameless(tmp_path)) == ["components/common", "serving/utils.py"]
