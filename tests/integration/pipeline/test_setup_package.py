"""What Beam's --setup_file=./setup.py brings to workers: a source package, built by Beam's own stager, that holds all they need."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from apache_beam.runners.portability.stager import Stager

from configs.load import names

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("pipeline", "components", "serving", "configs")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package unpacked, built in a copy: what an earlier build left in the checkout would hide what is missing."""
    copy, built = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("built")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    archive = Stager._build_setup_package(str(copy / "setup.py"), str(built))
    with tarfile.open(archive) as tar:
        tar.extractall(built / "unpacked", filter="data")
    (folder,) = (built / "unpacked").iterdir()
    return folder


def test_every_module_and_every_data_file_is_in_it(package):
    kinds = {".py", ".pyi", ".yaml", ".pbtxt", ".proto"}
    found = [path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*") if path.suffix in kinds]
    # What a person applies to a cluster from a checkout; no worker reads it.
    wanted = [path for path in found if path.parts[:2] != ("serving", "deploy")]
    assert len(wanted) > 100
    assert [str(path) for path in wanted if not (package / path).is_file()] == []


def test_a_worker_can_use_it_from_anywhere(package, tmp_path):
    program = "\n".join(
        [
            "import components.example_gen.executor, pipeline, sys",
            "from configs.load import names",
            "from pipeline.use_cases.base import get_use_case",
            "assert get_use_case('taxi').schema_path.is_file()",
            "print(pipeline.__file__, *names('environments'))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(package), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    place, *found = done.stdout.split()
    assert Path(place).is_relative_to(package)
    assert found == names("environments")
