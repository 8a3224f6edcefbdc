"""House rules 2 and 4: a family is one folder with its contract in base.py and a table of names in __init__.py that imports nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, imports, module_file, place, plant, syntax

FAMILIES = (
    "serving.store",
    "serving.launchers",
    "serving.clients",
    "pipeline.runners",
    "pipeline.schedule",
    "pipeline.tasks",
    "pipeline.use_cases",
)


def table(init: Path) -> dict[str, str] | None:
    """The table of a family: the one constant in capitals that maps names to "module:Name" strings; None when there is none."""
    for node in syntax(init).body:
        target, value = None, None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign):
            target, value = node.target, node.value
        if isinstance(target, ast.Name) and target.id.isupper() and isinstance(value, ast.Dict | ast.Call):
            literal = value.args[0] if isinstance(value, ast.Call) and value.args else value  # MappingProxyType({...})
            try:
                content = ast.literal_eval(literal)
            except ValueError:
                continue
            if content and isinstance(content, dict) and all(isinstance(text, str) and ":" in text for text in content.values()):
                return content
    return None


def defined(path: Path) -> set[str]:
    """The names a module defines at its top level: classes, functions and constants."""
    names: set[str] = set()
    for node in syntax(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def broken_family(root: Path, family: str) -> list[str]:
    """What is wrong with one family; nothing when it has the shape of all families."""
    folder = root.joinpath(*family.split("."))
    init = folder / "__init__.py"
    if not init.is_file():
        return [f"{place(root, folder)}: no such family"]
    found = [] if (folder / "base.py").is_file() else [f"{place(root, folder)}: no base.py that states the contract"]
    entries = table(init)
    if entries is None:
        return [*found, f'{place(root, init)}: no table of "module:Name" strings']
    targets = {}
    for name, text in entries.items():
        module, _, attribute = text.partition(":")
        module = family + module if module.startswith(".") else module
        path = module_file(root, module)
        if path is None or attribute not in defined(path):
            found.append(f"{place(root, init)}: {name!r} names {text}, which does not exist")
        targets[module] = name
    for line, imported in imports(init, family):
        hit = next((module for module in targets if imported == module or imported.startswith(module + ".")), None)
        if hit:
            found.append(f"{place(root, init, line)}: imports {hit}, an implementation")
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_family_has_a_contract_and_a_table(family):
    assert broken_family(ROOT, family) == []


INIT = 'STORES = {"local": "serving.store.local:LocalStore", "memory": ".memory:MemoryStore"}\n'
WHOLE = {
    "serving/store/__init__.py": INIT,
    "serving/store/base.py": "",
    "serving/store/local.py": "class LocalStore: ...\n",
    "serving/store/memory.py": "class MemoryStore: ...\n",
}


def test_a_whole_family_is_silent(tmp_path):
    assert broken_family(plant(tmp_path, WHOLE), "serving.store") == []


@pytest.mark.parametrize(
    ("change", "report"),
    [
        ({"serving/store/local.py": "class Other: ...\n"}, "'local' names serving.store.local:LocalStore, which does not exist"),
        ({"serving/store/__init__.py": INIT.replace(".memory:", ".gone:")}, "'memory' names .gone:MemoryStore, which does not exist"),
        ({"serving/store/__init__.py": "from .local import LocalStore\n" + INIT}, "imports serving.store.local, an implementation"),
        ({"serving/store/__init__.py": "def f():\n    from . import memory\n" + INIT}, "imports serving.store.memory, an implementation"),
        ({"serving/store/__init__.py": "STORES = {'local': LocalStore}\n"}, "no table"),
        ({"serving/store/__init__.py": ""}, "no table"),
    ],
)
def test_a_broken_family_is_reported(tmp_path, change, report):
    (finding,) = broken_family(plant(tmp_path, {**WHOLE, **change}), "serving.store")
    assert report in finding


def test_a_family_without_a_contract_is_reported(tmp_path):
    plant(tmp_path, WHOLE)
    (tmp_path / "serving/store/base.py").unlink()
    assert broken_family(tmp_path, "serving.store") == ["serving/store: no base.py that states the contract"]
