"""``kill -9`` of whoever launched, at several moments: no process, container, pod, port or temporary file is left."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from serving.launchers.child import engine_environment
from serving.launchers.target import dump
from tests.fakes.engines import engine
from tests.integration.serving.small_model import saved_model

# Launches, says how far it has come, and waits to be killed.
PARENT = """
import sys
from pathlib import Path
from serving.launchers import open_launcher
from serving.launchers.target import parse
(target,), model, moment = parse(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def come_to(here, *words):
    if here == moment:
        print(here, *words, flush=True)
        if here != "launching":
            sys.stdin.read()
launcher = open_launcher(target)
come_to("launching")
server = launcher.launch(model, model_name="m")
come_to("launched")
address = server.rest_address
come_to("loading", address)
server.wait_until_available(120)
come_to("available", address)
sys.stdin.read()
"""


KINDS = ["embedded", "binary", "docker", "kubernetes"]
MOMENTS = ["launching", "launching, a little later", "launched", "loading", "available"]
# For a few milliseconds the embedded server's folder is there and its server is not: the next run removes it with the killed one's.
CASES = [(kind, moment) for kind in KINDS for moment in MOMENTS if (kind, moment) != ("embedded", "launching")]


@pytest.mark.parametrize(("kind", "moment"), CASES)
def test_nothing_is_left_of_a_launch_whose_process_is_killed(kind, moment, tmp_path, monkeypatch):
    temporary, scratch = tmp_path / "temporary", tmp_path / "engine"
    temporary.mkdir()
    scratch.mkdir()
    moment, _, later = moment.partition(", ")
    with engine(kind, scratch, monkeypatch) as (target, still_run):
        # What a launch starts has this temporary folder in its environment.
        environment = {**engine_environment(), "KUBERNETES_SERVICE_HOST": "here", "TMPDIR": str(temporary)}
        command = [sys.executable, "-c", PARENT, dump([target]), str(saved_model("plain")), moment]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as parent:
            said = parent.stdout.readline().split()
            assert said[:1] == [moment]
            time.sleep(0.3 if later else 0)
            parent.kill()
            parent.wait(10)
            until = time.monotonic() + 60
            while left := left_behind(temporary, still_run(), said[1:]):
                assert time.monotonic() < until, left
                time.sleep(0.1)


def left_behind(temporary: Path, engine_runs: list[str], addresses: list[str]) -> list[str]:
    files = [path for path in temporary.iterdir() if not is_pythons_probe(path)]
    found = [f"in the engine: {name}" for name in engine_runs] + [f"file: {path}" for path in files]
    for process in psutil.process_iter(["cmdline", "status"]):
        try:
            if process.environ().get("TMPDIR") == str(temporary) and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(f"process: {process.info['cmdline']}")
        except psutil.Error:
            continue
    for address in addresses:
        host, _, port = address.removeprefix("http://").rpartition(":")
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                found.append(f"port: {address}")
    return found


def is_pythons_probe(path: Path) -> bool:
    """By which `tempfile` tries a folder when a process first asks for one: who is killed in that millisecond leaves it, whatever we do."""
    try:
        return bool(re.fullmatch("[a-z0-9_]{8}", path.name)) and path.is_file() and path.read_bytes() in (b"", b"blat")
    except FileNotFoundError:
        return True


def test_what_is_left_is_seen(tmp_path):
    (tmp_path / "a1b2_3d4").write_bytes(b"blat")
    (tmp_path / "file").touch()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    sleeper = [sys.executable, "-c", "input()"]
    with socket.create_server(("127.0.0.1", 0)) as server, subprocess.Popen(sleeper, stdin=subprocess.PIPE, env=environment) as process:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        while process.poll() is None and len(found := left_behind(tmp_path, ["pod"], [address])) < 4:
            time.sleep(0.01)
        process.communicate(b"\n")
    assert [line.partition(":")[0] for line in found] == ["in the engine", "file", "process", "port"]
