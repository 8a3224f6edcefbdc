"""House rule 3: importing is free. What answers in an instant must not load a framework that takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, plant

SECONDS_TO_LOAD = {"apache_beam", "keras", "kfp", "ml_metadata", "pandas", "pyarrow", "sklearn", "tensorflow", "tfx"}
ENTRY = "pipeline.cli.main:main"  # as in [project.scripts]

PROBE = """
import importlib, json, sys
report, entry, watched = sys.argv[1:4]
sys.argv[:] = ["sluiceway", *sys.argv[4:]]
module, _, name = entry.partition(":")
code = 0
try:
    loaded = importlib.import_module(module)
    if name:
        getattr(loaded, name)()
except SystemExit as end:
    code = end.code or 0
with open(report, "w") as file:
    json.dump({"code": int(code), "loaded": sorted(set(watched.split(",")) & set(sys.modules))}, file)
"""


def run(root: Path, scratch: Path, arguments: list[str], watched: set[str], entry: str = ENTRY) -> dict[str, object]:
    """Runs an entry point of the tree (or only imports a module) in a new process: its exit code and the watched modules it loaded."""
    report = scratch / "report.json"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(report), entry, ",".join(sorted(watched)), *arguments],
        cwd=scratch,  # a new state folder: an empty store
        env={**os.environ, "PYTHONPATH": str(root), "HOME": str(scratch)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert report.is_file(), f"{arguments} ended with a traceback:\n{done.stdout}{done.stderr}"
    return json.loads(report.read_text())


@pytest.mark.parametrize(
    ("arguments", "also", "codes"),
    [
        (["--help"], {"grpc", "httpx"}, {0}),
        (["run", "--help"], {"grpc"}, {0}),
        (["predict", "--help"], {"grpc"}, {0}),
        (["submit", "--help"], {"grpc", "kubernetes"}, {0}),
        (["compile", "--help"], {"grpc", "kubernetes"}, {0}),
        (["step", "--help"], {"grpc", "kubernetes", "docker"}, {0}),
        (["schedule", "list"], {"grpc", "kubernetes"}, {0}),
        (["show", "taxi"], {"grpc"}, {0}),
        (["versions", "taxi"], {"grpc"}, {0, 2}),  # 2: an empty store may be called a mistake of the caller
        (["history", "taxi"], {"grpc"}, {0, 2}),
        (["predict", "taxi", "{}"], {"grpc"}, {1, 2}),  # nobody serves here; the REST client was loaded to find out
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_quick_command_loads_no_framework(tmp_path, arguments, also, codes):
    done = run(ROOT, tmp_path, arguments, SECONDS_TO_LOAD | also)
    assert done["loaded"] == []
    assert done["code"] in codes


@pytest.mark.parametrize(
    "module", ["configs.load", "serving.store", "serving.clients", "serving.launchers", "pipeline.use_cases", "pipeline.runners"]
)
def test_a_family_is_free_to_import(tmp_path, module):
    assert run(ROOT, tmp_path, [], SECONDS_TO_LOAD | {"grpc"}, entry=module)["loaded"] == []


@pytest.mark.parametrize(
    "module", ["serving.clients.rest", "serving.clients.grpc", "serving.protocol.tensors", "serving.launchers.embedded"]
)
def test_a_client_does_without_tensorflow(tmp_path, module):
    assert run(ROOT, tmp_path, [], SECONDS_TO_LOAD, entry=module)["loaded"] == []


# What an application that only asks has no use for: the command line's packages, the configuration files', and the other transport's.
NOT_FOR_ASKING = SECONDS_TO_LOAD | {"rich", "click", "pygments", "yaml", "tensorflow_serving", "uvicorn", "fastapi", "ml_dtypes"}


@pytest.mark.parametrize(
    ("module", "also"),
    [
        ("serving.clients", {"numpy", "grpc", "httpx", "google.protobuf", "msgspec"}),
        ("serving.clients.rest", {"grpc", "google.protobuf"}),
        ("serving.clients.async_rest", {"grpc", "google.protobuf"}),
        ("serving.clients.grpc", {"httpx"}),
        ("serving.clients.async_grpc", {"httpx"}),
    ],
)
def test_an_application_that_asks_loads_nothing_else(tmp_path, module, also):
    assert run(ROOT, tmp_path, [], NOT_FOR_ASKING | also, entry=module)["loaded"] == []


def test_a_command_that_loads_a_framework_is_reported(tmp_path):
    plant(
        tmp_path,
        {
            "tfx/__init__.py": "",
            "slow/__init__.py": "",
            "slow/cli.py": "import sys\nfrom slow import deep\ndef main():\n    sys.exit(3)\n",
            "slow/deep.py": "import tfx\n",
        },
    )
    assert run(tmp_path, tmp_path, [], SECONDS_TO_LOAD, entry="slow.cli:main") == {"code": 3, "loaded": ["tfx"]}
