"""The server as a process: swaps, drains, starts that fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.clients import CLIENTS, load
from serving.clients.base import PredictClient
from serving.clients.rest import RestClient
from serving.launchers.readiness import judge, wait_for
from serving.protocol.status import State
from tests.integration.serving.server_process import ServerProcess, running
from tests.integration.serving.small_model import saved_model

COLUMNS = {"x": [1.0], "n": [1], "k": ["a"]}


def publish(base: Path, version: int, model: str) -> None:
    """As a store does it: a copy under a name that is no version, then one rename."""
    staged = base / f"staged-{version}"
    shutil.copytree(saved_model(model), staged)
    staged.rename(base / str(version))


def wait_for_version(client: PredictClient, version: int) -> None:
    wait_for(lambda: True if client.live_version("m") == version else None, lambda: None, what=f"version {version}", deadline_seconds=60)


def client_of(server: ServerProcess, transport: str) -> PredictClient:
    return load(transport)(server.rest_address if transport == "rest" else server.grpc_address)


def test_a_version_swap_fails_no_request(tmp_path):
    base = tmp_path / "store"
    base.mkdir()
    publish(base, 1, "plain")
    done = threading.Event()

    def ask(transport: str) -> set[float]:
        with client_of(server, transport) as client:
            seen = set()
            while not done.is_set():
                seen.add(client.predict("m", COLUMNS)["y"].tolist()[0])
            return seen

    with running(base, tmp_path) as server, RestClient(server.rest_address) as watcher, ThreadPoolExecutor(4) as pool:
        wait_for_version(watcher, 1)
        askers = [pool.submit(ask, transport) for transport in (*CLIENTS, *CLIENTS)]
        try:
            publish(base, 2, "doubled")
            wait_for_version(watcher, 2)
            wait_for(
                lambda: True if watcher.status("m", 1)[0].state is State.END else None, lambda: None, what="unload", deadline_seconds=60
            )
        finally:
            done.set()
        for asker in askers:
            assert asker.result(30) <= {3.0, 5.0}
        assert watcher.predict("m", COLUMNS)["y"].tolist() == [5.0]


def test_a_bad_new_version_leaves_the_good_one_live_and_says_why(tmp_path):
    base = tmp_path / "store"
    base.mkdir()
    publish(base, 1, "plain")
    publish(base, 2, "failing_warmup")
    with running(base, tmp_path) as server, RestClient(server.rest_address) as client:
        wait_for_version(client, 1)
        bad = client.status("m", 2)[0]
        assert bad.state is State.END
        assert "warm-up record 1" in bad.message


@pytest.mark.parametrize("transport", CLIENTS)
def test_sigterm_lets_requests_under_way_finish(tmp_path, transport):
    (tmp_path / "store" / "1").mkdir(parents=True)
    (tmp_path / "store" / "1" / "saved_model.pb").touch()
    with (
        running(tmp_path / "store", tmp_path, gate=tmp_path) as server,
        client_of(server, transport) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        wait_for(lambda: judge(client.status("m")) or None, lambda: None, what="start", deadline_seconds=60)
        client.metadata("m")
        answer = pool.submit(client.predict, "m", {"x": [1.0]})
        wait_for(lambda: True if (tmp_path / "entered").exists() else None, lambda: None, what="the request", deadline_seconds=60)
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: True if "stopping" in server.log.read_text() else None, lambda: None, what="stopping", deadline_seconds=60)
        (tmp_path / "leave").touch()
        assert answer.result(30)["y"].tolist() == [2.0]
        assert server.process.wait(30) == 0


def test_without_ports_file_a_start_without_a_good_version_fails_at_once(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"junk")
    result = start(f"--model_base_path={tmp_path}", "--model_name=m", "--port=0", f"--grpc_socket_path={tmp_path}/socket")
    assert result.returncode == 255
    assert result.stdout.startswith(
        "Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available: {{{name: m version: 1} due to error:"
    )
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["--version"], 0, "TensorFlow ModelServer: sluiceway"),
        (["--help"], 0, "usage: sluiceway-server"),
        (["--port=x"], 255, "--port=x is not a value of type int"),
        ([], 255, "Both server_options.model_base_path and server_options.model_config_file are empty!"),
    ],
)
def test_the_command_line_answers(arguments, code, output):
    result = start(*arguments)
    assert result.returncode == code
    assert output in result.stdout


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serving.server", *arguments], capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
