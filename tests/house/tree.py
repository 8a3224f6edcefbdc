"""A checkout as the house rules see it: its files, their text and their syntax trees."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "components", "serving", "configs")
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")


def python_files(root: Path, *folders: str) -> list[Path]:
    """Every hand-written Python file below these folders of the tree (the four packages if none is named), sorted."""
    found = (path for folder in folders or PACKAGES for path in (root / folder).rglob("*.py"))
    return sorted(path for path in found if not path.name.endswith(GENERATED))


def tracked_files(root: Path) -> list[Path]:
    """Every file git tracks or would track; where the tree is no checkout, every file that .gitignore's plain names do not hide."""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True
        )
        return sorted(path for name in listed.stdout.split("\0") if name and (path := root / name).is_file())
    ignore = root / ".gitignore"
    hidden = [line.rstrip("/") for line in ignore.read_text(encoding="utf-8").split()] if ignore.is_file() else []
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if not any(fnmatch(name, pattern) for pattern in hidden)]
        found += [Path(folder, name) for name in names if not any(fnmatch(name, pattern) for pattern in hidden)]
    return sorted(found)


def syntax(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(root: Path, path: Path, line: int | None = None) -> str:
    """How a finding names its file: relative to the tree, with the line when there is one."""
    name = path.relative_to(root).as_posix()
    return name if line is None else f"{name}:{line}"


def module_file(root: Path, module: str) -> Path | None:
    """The file of a dotted module name inside the tree, or None."""
    base = root.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def imports(path: Path, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything a file of this package imports, at any depth of the file."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def plant(root: Path, files: Mapping[str, str]) -> Path:
    """Writes a small tree, path to text, and gives back its root: the broken trees that each rule is shown."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
