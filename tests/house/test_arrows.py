"""House rules 1, 3 and 7: import-linter's contracts in pyproject.toml hold, and each of them reports a tree that breaks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, place, python_files

LINT = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]


def lint(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Runs the tree's own contracts, all or those named by id, on the tree's own packages."""
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run([*LINT, *chosen], cwd=root, capture_output=True, text=True, check=False)


def copy(target: Path) -> Path:
    """A copy of the real packages and contracts, to break."""
    for path in python_files(ROOT, *PACKAGES):
        (target / place(ROOT, path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place(ROOT, path))
    shutil.copyfile(ROOT / "pyproject.toml", target / "pyproject.toml")
    return target


def test_the_contracts_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("configs/load.py", "import serving.errors", "arrows"),
        ("serving/store/names.py", "import components", "arrows"),
        ("components/__init__.py", "def f():\n    import pipeline", "arrows"),
        ("serving/store/local.py", "from tfx import v1", "serving-knows-no-tfx"),
        ("serving/server/models.py", "import tensorflow as tf", "one-door-to-tensorflow"),
        ("serving/launchers/base.py", "from serving.server import savedmodel", "light-serving"),
        ("serving/clients/rest.py", "def f():\n    from tensorflow_serving.apis import predict_pb2", "light-serving"),
        ("configs/schema.py", "import numpy", "light-configs"),
        ("components/pusher/push.py", "import tfx", "pure-core"),
        ("components/champion/resolve.py", "import ml_metadata", "pure-core"),
        ("components/infra_validator/validate.py", "from tensorflow import io", "pure-core"),
        ("components/infra_validator/checks.py", "import kubernetes", "pure-core"),
        ("components/evaluator/judge.py", "from tensorflow_model_analysis import api", "pure-core"),
    ],
)
def test_a_broken_arrow_is_reported(tmp_path, module, line, contract):
    path = copy(tmp_path) / module
    assert path.is_file(), f"the contract {contract!r} is shown on {module}, which is gone"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = lint(tmp_path, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{module.removesuffix('.py').removesuffix('/__init__').replace('/', '.')} ->" in done.stdout
