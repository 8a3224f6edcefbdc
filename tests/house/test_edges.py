"""House rule 3: only __main__ and cli read the command line or configure logging."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.tree import ROOT, place, plant, python_files, syntax

# Dotted names that are for the edge only: what a program was started with, and what the whole process does with log records.
ARGV = {"sys.argv", "sys.orig_argv"}
LOGGING = {"logging.basicConfig", "logging.config.dictConfig", "logging.config.fileConfig", "logging.disable", "logging.captureWarnings"}


def is_edge(root: Path, path: Path) -> bool:
    """Whether a file is __main__.py, cli.py or inside a folder called cli."""
    return path.stem in {"__main__", "cli"} or "cli" in path.relative_to(root).parts


def dotted(node: ast.expr) -> str:
    """The dotted name of an expression such as a.b.c; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""


def process_wide(root: Path) -> list[str]:
    """Files behind the edge that read argv or configure logging."""
    found = []
    for path in python_files(root):
        if is_edge(root, path):
            continue
        for node in ast.walk(syntax(path)):
            names: list[str] = []
            if isinstance(node, ast.Attribute):
                names = [dotted(node)]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [f"{place(root, path, node.lineno)}: {name}" for name in names if name in ARGV | LOGGING]
    return found


def test_only_the_edge_reads_argv_and_configures_logging():
    assert process_wide(ROOT) == []


def test_a_module_that_reaches_for_the_process_is_reported(tmp_path):
    plant(
        tmp_path,
        {
            "serving/store/local.py": "import sys\nname = sys.argv[0]\n",
            "pipeline/definition.py": "import logging\ndef f():\n    logging.basicConfig()\n",
            "components/a.py": "from sys import argv\n",
            "serving/__main__.py": "import sys\nsys.argv\n",
            "serving/cli.py": "import logging\nlogging.basicConfig()\n",
            "pipeline/cli/main.py": "import logging\nlogging.captureWarnings(True)\n",
            "configs/load.py": "import logging\nlog = logging.getLogger(__name__)\n",
        },
    )
    assert sorted(process_wide(tmp_path)) == [
        "components/a.py:1: sys.argv",
        "pipeline/definition.py:3: logging.basicConfig",
        "serving/store/local.py:2: sys.argv",
    ]
