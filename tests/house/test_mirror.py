"""House rule 6: a unit test lives at the same path as the code it tests."""

from __future__ import annotations

from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, place, plant


def orphans(root: Path) -> list[str]:
    """Unit tests without code at their path: tests/unit/a/test_b.py stands for a/b.py, a/_b.py, a/__b__.py or the package a/b/.

    Those of a use case that was removed as a whole are none: they are not run either (tests/conftest.py).
    """
    unit = root / "tests" / "unit"
    found = []
    for test in sorted(unit.rglob("test_*.py")):
        folder, name = root / test.parent.relative_to(unit), test.stem.removeprefix("test_")
        if folder.parent == root / "pipeline" / "use_cases" and not folder.exists():
            continue
        homes = (f"{name}.py", f"_{name}.py", f"__{name}__.py", f"{name}/__init__.py")
        if not any((folder / home).is_file() for home in homes):
            found.append(f"{place(root, test)}: no {place(root, folder / name)}.py")
    return found


def strangers(root: Path) -> list[str]:
    """Folders of tests/unit that are none of the four packages (benchmarks have unit tests too)."""
    allowed = {*PACKAGES, "benchmarks"}
    folders = (path for path in (root / "tests" / "unit").glob("*") if path.is_dir() and path.name != "__pycache__")
    return [place(root, path) for path in folders if path.name not in allowed]


def test_every_unit_test_has_code_at_its_path():
    assert orphans(ROOT) == []


def test_unit_tests_are_of_our_packages():
    assert strangers(ROOT) == []


def test_an_orphan_is_reported(tmp_path):
    plant(
        tmp_path,
        {
            "serving/store/local.py": "",
            "serving/__main__.py": "",
            "serving/server/__init__.py": "",
            "tests/unit/serving/store/test_local.py": "",
            "tests/unit/serving/test_main.py": "",
            "tests/unit/serving/test_server.py": "",
            "tests/unit/serving/test_local.py": "",
            "tests/unit/pipeline/use_cases/removed/test_data.py": "",
        },
    )
    assert orphans(tmp_path) == ["tests/unit/serving/test_local.py: no serving/local.py"]


def test_a_stranger_is_reported(tmp_path):
    plant(tmp_path, {"tests/unit/serving/test_a.py": "", "tests/unit/misplaced/test_a.py": ""})
    assert strangers(tmp_path) == ["tests/unit/misplaced"]
