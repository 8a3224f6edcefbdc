"""One live taxi model, trained once with the smoke budget, for every test that only looks at it or builds on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Ended, sluiceway


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """(state folder, how ``run taxi --json`` ended) of a first run in an empty folder."""
    state = tmp_path_factory.mktemp("first") / "state"
    return state, sluiceway("run", "taxi", "--json", state=state)


@pytest.fixture
def live(first_run: tuple[Path, Ended], tmp_path: Path) -> Path:
    """A copy of the state after the first run, for a test that changes it."""
    state, ended = first_run
    assert ended.code == 0, ended.err
    copy = tmp_path / "state"
    shutil.copytree(state, copy)
    return copy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own, which a run fills."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root and mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
