"""House rule 4: a use case is a folder, a YAML file and a line in a table; nothing else knows that it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.use_cases import USE_CASES
from tests.house.tree import PACKAGES, ROOT, place, plant, tracked_files

# Where a use case may be named: its own places, and the pages that tell of all of them.
TOLD_OF = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
# The first of them is what the product itself is shown with and tested on.
SHOWN_WITH = "taxi"


def own_places(name: str) -> re.Pattern[str]:
    """The files that go with a use case when it goes."""
    return re.compile(
        rf"pipeline/use_cases/({name}/|__init__\.py)|configs/use_cases/{name}\.yaml|docs/use-cases/"
        rf"|tests/(unit|integration)/pipeline/use_cases/(test_)?{name}(/|\.py)|tests/e2e/use_cases/|tests/integration/pipeline/golden/{name}\.yaml|notebooks/"
    )


def strangers_who_know(root: Path, name: str, folders: tuple[str, ...]) -> list[str]:
    """Lines outside a use case's own places that import it, or name its files."""
    mine, found = own_places(name), []
    pattern = re.compile(rf"use_cases[./]{name}\b")
    for path in tracked_files(root):
        where = path.relative_to(root).as_posix()
        if where in TOLD_OF or mine.match(where) or not where.startswith(folders) or path.suffix not in {".py", ".yaml", ".toml", ""}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if pattern.search(line):
                found.append(place(root, path, number))
    return found


@pytest.mark.parametrize("name", sorted(set(USE_CASES) - {SHOWN_WITH}))
def test_nothing_would_miss_it(name):
    assert strangers_who_know(ROOT, name, (*PACKAGES, "tests", "benchmarks", "pyproject.toml")) == []


def test_nothing_but_tests_would_miss_the_one_that_all_is_shown_with():
    assert strangers_who_know(ROOT, SHOWN_WITH, (*(f"{package}/" for package in PACKAGES), "pyproject.toml")) == []


def test_a_stranger_who_knows_is_reported(tmp_path):
    plant(
        tmp_path,
        {
            "pipeline/run.py": "from pipeline.use_cases.moon import data\n",
            "pipeline/use_cases/__init__.py": '"moon": "pipeline.use_cases.moon:USE_CASE"\n',
            "pipeline/use_cases/moon/data.py": "import pipeline.use_cases.moon\n",
            "configs/load.py": "x = 'use_cases/moon.yaml'\n",
            "configs/use_cases/moon.yaml": "# use_cases/moon\n",
            ".gitignore": "",
        },
    )
    assert strangers_who_know(tmp_path, "moon", PACKAGES) == ["configs/load.py:1", "pipeline/run.py:1"]


# What looks at all use cases, and what reads the tree as it is. The whole suite would take an hour for each.
LOOKS_AT_ALL = (
    "tests/unit/pipeline/use_cases",
    "tests/unit/pipeline/cli/test_init.py",
    "tests/unit/pipeline/cli/test_use_cases.py",
    "tests/unit/configs",
    "tests/integration/pipeline/test_search.py",
    "tests/house/test_text.py",
    "tests/house/test_readme.py",
    "tests/house/test_families.py",
    "tests/house/test_mirror.py",
)


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(set(USE_CASES) - {SHOWN_WITH}))
def test_without_its_folder_its_yaml_and_its_line_everything_else_is_green(name, tmp_path):
    for path in tracked_files(ROOT):
        target = tmp_path / "tree" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    tree = tmp_path / "tree"
    shutil.rmtree(tree / "pipeline" / "use_cases" / name)
    (tree / "configs" / "use_cases" / f"{name}.yaml").unlink()
    table = tree / "pipeline" / "use_cases" / "__init__.py"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if f'"{name}":' not in line]
    assert len(kept) == len(lines) - 1
    table.write_text("".join(kept), encoding="utf-8")
    subprocess.run(["git", "init", "-q", "."], cwd=tree, check=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")} | {"PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *LOOKS_AT_ALL],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"use_cases/{name}" not in done.stdout
