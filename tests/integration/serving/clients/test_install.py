"""What ``pip install 'sluiceway[client]'`` brings: no TensorFlow, and little beside numpy and gRPC.

60 MB in all cannot be had: numpy alone is 55 to 63 MB with its linear algebra, and grpcio 18 MB, on Linux. Measured with the
versions of the lock file: 95 MiB on Python 3.10 and 88 MiB on Python 3.13. So the limit stands just above the fact, and what
everything else adds to those two, the part that is in our hands, has a limit of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
OURS = ("pipeline", "components", "serving", "configs")
MIB = 2**20
LIMIT, LIMIT_OF_THE_REST, LIMIT_OF_OURS = 100 * MIB, 20 * MIB, 4 * MIB
# A machine without an index is no reason for a red test; an index that lacks what we ask for is.
OFFLINE = re.compile(r"(?i)failed to fetch|dns error|network|connection|timed out|offline")

PROBE = """
import sys
from serving.clients import connect, connect_async
for make in (connect, connect_async):
    for address in ("127.0.0.1:1", "http://127.0.0.1:1"):
        make(address)
heavy = {"tensorflow", "tensorflow_serving", "pandas", "rich", "click", "pygments", "yaml", "fastapi", "uvicorn"}
print(*sorted(heavy & set(sys.modules)))
"""


def uv(*arguments: str | Path) -> str:
    """What uv says. Skips where there is none, or no index to ask."""
    found = shutil.which("uv") or shutil.which(ROOT / ".uv" / "bin" / "uv")
    if found is None:
        pytest.skip("uv is not here, which makes the environment: run ./bootstrap.sh")
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=500, env=environment)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip(f"the packages cannot be fetched here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the client extra, in the versions of the lock file."""
    folder = tmp_path_factory.mktemp("client")
    copy, pins = folder / "checkout", folder / "pins.txt"
    for name in OURS:  # a copy, because a build leaves its own files where it runs
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    export = ("export", "-q", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--extra=client")
    uv(*export, f"--project={ROOT}", f"--output-file={pins}")
    uv("venv", "-q", f"--python={sys.executable}", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "-q", f"--python={python}", "-r", pins)
    # No pins here: the extra's own requirements must be met by what the lock file brought, or this would fetch more.
    uv("pip", "install", "-q", f"--python={python}", "--no-deps", copy)
    uv("pip", "check", f"--python={python}")
    return python


def sizes(python: Path) -> dict[str, int]:
    """Bytes by top-level name, compiled files left out."""
    (packages,) = python.parents[1].glob("lib/python3*/site-packages")
    found: dict[str, int] = {}
    for path in packages.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            top = path.relative_to(packages).parts[0]
            found[top] = found.get(top, 0) + path.stat().st_size
    return found


def test_there_is_no_tensorflow(python):
    assert not {name for name in sizes(python) if re.match(r"(?i)tensorflow|tfx|keras|apache_beam|pandas|uvicorn|fastapi", name)}


def test_it_is_small_beside_numpy_and_grpc(python):
    found = sizes(python)
    rest = sum(size for name, size in found.items() if not re.match(r"numpy|grpc", name))
    ours = sum(found[name] for name in OURS)
    told = ", ".join(f"{name} {size / MIB:.1f}" for name, size in sorted(found.items(), key=lambda item: -item[1])[:8])
    print(f"in all {sum(found.values()) / MIB:.1f} MiB, beside numpy and grpcio {rest / MIB:.1f} MiB: {told}")
    assert sum(found.values()) < LIMIT, told
    assert rest < LIMIT_OF_THE_REST, told
    assert ours < LIMIT_OF_OURS, told


def test_every_client_opens_and_loads_nothing_heavy(python, tmp_path):
    done = subprocess.run([str(python), "-c", PROBE], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_the_command_asks_from_there(python, tmp_path):
    command = [str(python.parent / "sluiceway"), "predict", "taxi", "{}", "--grpc", "--address", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("sluiceway: 127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1
