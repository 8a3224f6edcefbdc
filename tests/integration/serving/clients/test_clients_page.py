"""What docs/clients.md shows, runs: each block as it stands, but for the addresses, against our server with a model that is made up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.errors import UsageError
from serving import errors
from serving.server.listeners import Listeners
from serving.server.models import Models
from tests.fakes.core import listen
from tests.fakes.servable import FLOAT, STRING, FakeServable, signature_def
from tests.house.tree import ROOT
from tests.integration.serving.clients.certificates import make

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
PHOTO = b"\xff\xd8 not much of a photo \xff\xd9"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def leaves(feeds: Any) -> dict[str, Any]:
    """Every photo is of cmd, if it came as it was sent."""
    photos = feeds["image:0"].tolist()
    assert set(photos) == {PHOTO}
    some = np.float32([[0.1, 0.9]] * len(photos))
    return {"label:0": np.array([b"cmd"] * len(photos), object), "probabilities:0": some, "probability:0": some[:, 1]}


def taxi(feeds: Any) -> dict[str, Any]:
    return {"big_tip:0": feeds["fare:0"] / np.float32(100)}


@pytest.fixture(scope="module")
def server() -> Iterator[Listeners]:
    outputs = {"label": STRING, "probabilities": FLOAT, "probability": FLOAT}
    columns = {"fare": FLOAT, "trip_start_hour": FLOAT, "payment_type": STRING}
    models = Models()
    models.load("leaves", 4, lambda: FakeServable({"predict": signature_def({"image": STRING}, outputs)}, leaves))
    models.load("taxi", 2, lambda: FakeServable({"predict": signature_def(columns, {"big_tip": FLOAT})}, taxi))
    models.set_labels({"leaves": {"stable": 4}})
    listeners = listen(models)
    yield listeners
    listeners.stop(1)


def run(server: Listeners, folder: Path, *command: str, text: str) -> str:
    """The stdout of a block. The page's addresses are those of the server here."""
    (folder / "photo.jpg").write_bytes(PHOTO)
    (folder / "rows.csv").write_text("fare,payment_type\n12.5,Cash\n,\n")
    ports = server.ports
    text = text.replace("localhost:8500", f"127.0.0.1:{ports.grpc}").replace("localhost:8501", f"127.0.0.1:{ports.rest}")
    here = f"--set server.rest_port={ports.rest} --set server.grpc_port={ports.grpc}"
    text = text.replace("sluiceway predict ", f"sluiceway predict {here} ")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run([*command, text], capture_output=True, text=True, check=False, timeout=120, cwd=folder, env=environment)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def block(kind: str, word: str) -> str:
    """The one block of the page that holds this word."""
    (found,) = [text for text in blocks(kind) if word in text]
    return found


def test_the_curl_users_lines(server, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    out = run(server, tmp_path, "bash", "-ec", text=block("sh", "curl"))
    assert re.search(r'"label": "cmd"', out)
    assert re.search(r'"state": "AVAILABLE"', out)
    assert re.search(r'"dtype": "DT_STRING"', out)


def test_the_grpc_users_lines(server, tmp_path):
    pytest.importorskip("tensorflow_serving")
    assert run(server, tmp_path, sys.executable, "-W", "ignore", "-c", text=block("python", "prediction_service_pb2_grpc")) == "cmd 4\n"


def test_the_python_users_lines(server, tmp_path):
    assert run(server, tmp_path, sys.executable, "-W", "error", "-c", text=block("python", "import connect\n\nwith")) == "cmd 0.9 4\n"
    assert run(server, tmp_path, sys.executable, "-W", "error", "-c", text=block("python", "import asyncio")) == "cmd\n" * 3


def test_the_commands_lines(server, tmp_path):
    one, two, table, rows = block("sh", "sluiceway predict").splitlines()
    photo = {"label": "cmd", "probabilities": [pytest.approx(0.1), pytest.approx(0.9)], "probability": pytest.approx(0.9)}
    assert [json.loads(line) for line in run(server, tmp_path, "bash", "-ec", text=one).splitlines()] == [photo]
    assert [json.loads(line) for line in run(server, tmp_path, "bash", "-ec", text=two).splitlines()] == [photo, photo]
    document = json.loads(run(server, tmp_path, "bash", "-ec", text=table))
    assert (document["version"], document["predictions"]) == (2, [{"big_tip": pytest.approx(0.125)}])
    assert [json.loads(line) for line in run(server, tmp_path, "bash", "-ec", text=rows).splitlines()] == [
        {"big_tip": pytest.approx(0.125)},
        {"big_tip": None},
    ]


def test_the_tls_users_lines(server, tmp_path):
    for name in ("ca", "client"):
        make(tmp_path, name)
    run(server, tmp_path, sys.executable, "-W", "error", "-c", text=block("python", "Tls(ca_file"))


def test_every_block_of_the_page_is_run_here():
    assert (len(blocks("sh")), len(blocks("python"))) == (2, 4)


def test_the_exit_codes_of_the_page_are_those_of_the_errors():
    rows = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| (\d) \|", PAGE, flags=re.MULTILINE)
    assert len(rows) == 6
    for name, code in rows:
        kind = getattr(errors, name, None) or UsageError
        assert (name, int(kind.exit_code)) == (kind.__name__, int(code))
