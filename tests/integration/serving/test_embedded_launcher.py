"""What only a real child process can show: nothing is left behind, whoever dies."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from serving.clients.rest import RestClient
from serving.errors import LaunchError, ModelLoadError, ServerDied
from serving.launchers.embedded import EmbeddedLauncher
from serving.launchers.readiness import wait_for
from tests.integration.serving.small_model import saved_model

PARENT = """
import sys
from pathlib import Path
from serving.launchers.embedded import EmbeddedServer
server = EmbeddedServer("m")
if sys.argv[1] == "available":
    server.serve(Path(sys.argv[2]))
    server.wait_until_available(120)
print(server._process.pid, server.directory, flush=True)
sys.stdin.read()
"""


def ended(pid: int) -> bool:
    """Gone, or waiting for whoever adopted it to notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("when", ["starting", "available"])
def test_a_killed_parent_leaves_no_process_and_no_directory(when):
    command = [sys.executable, "-c", PARENT, when, str(saved_model("plain"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        pid, directory = parent.stdout.readline().split()
        assert not ended(int(pid))
        assert Path(directory).is_dir()
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        # The child is not ours, so there is no event to wait for.
        wait_for(lambda: ended(int(pid)) or None, lambda: None, what="the end of the child", deadline_seconds=10)
    assert not Path(directory).exists()


def test_a_child_that_dies_is_told_from_a_model_that_does_not_load():
    with EmbeddedLauncher() as launcher, launcher.launch(saved_model("plain"), model_name="m") as server:
        server.wait_until_available(120)
        os.kill(server._process.pid, signal.SIGKILL)
        server._process.wait(10)
        with pytest.raises(ServerDied, match="code -9"):
            server.wait_until_available(10)
    assert not server.directory.exists()
    assert "loaded m version 1" in server.logs()


def test_a_prepared_child_that_died_is_replaced():
    with EmbeddedLauncher() as launcher:
        launcher.prepare(model_name="m")
        launcher._prepared._process.kill()
        launcher._prepared._process.wait(10)
        with launcher.launch(saved_model("plain"), model_name="m") as server:
            server.wait_until_available(120)


def test_a_failing_warm_up_refuses_the_model_with_the_reason():
    with EmbeddedLauncher() as launcher, launcher.launch(saved_model("failing_warmup"), model_name="m") as server:
        reason = r"warm-up record 1 of .*failing_warmup.*Signature input alias: x"
        with pytest.raises(ModelLoadError) as caught:
            server.wait_until_available(120)
    assert re.search(reason, str(caught.value))


def test_a_keras_export_is_served():
    with EmbeddedLauncher() as launcher, launcher.launch(saved_model("keras"), model_name="m") as server:
        server.wait_until_available(120)
        with RestClient(server.rest_address) as client:
            assert client.predict("m", {"a": [[1.0]], "b": [[2.0]]})["output_0"].shape == (1, 1)


def test_a_model_name_with_a_slash_cannot_leave_the_directory():
    with pytest.raises(LaunchError, match="model name"):
        EmbeddedLauncher().launch(saved_model("plain"), model_name="../evil")


def test_secrets_in_the_environment_stay_here(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    with EmbeddedLauncher() as launcher, launcher.launch(saved_model("plain"), model_name="m") as server:
        server.wait_until_available(120)
        assert "SOME_TOKEN" not in psutil.Process(server._process.pid).environ()


def without_variables(model: Path) -> None:
    shutil.rmtree(model / "variables")


def without_an_index(model: Path) -> None:
    (model / "variables" / "variables.index").unlink()


def with_a_cut_off_shard(model: Path) -> None:
    shard = model / "variables" / "variables.data-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:2])


def with_a_cut_off_graph(model: Path) -> None:
    (model / "saved_model.pb").write_bytes((model / "saved_model.pb").read_bytes()[:500])


def with_a_spoiled_warm_up(model: Path) -> None:
    (model / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"this is not a file of records")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without_variables, r"the graph has variables, and .*variables/variables.index is missing"),
        (without_an_index, r"variables\.index is missing"),
        (with_a_cut_off_shard, "Read less bytes than requested|Unsuccessful TensorSliceReader|out of range|Read fewer bytes"),
        (with_a_cut_off_graph, r"saved_model\.pb cannot be parsed: it is cut off"),
        (with_a_spoiled_warm_up, r"tf_serving_warmup_requests: .*verify your warmup data is in TFRecord format"),
    ],
)
def test_a_damaged_model_is_refused_with_the_reason(tmp_path, damage, reason):
    model = tmp_path / "model"
    shutil.copytree(saved_model("plain"), model)
    damage(model)
    with EmbeddedLauncher() as launcher, launcher.launch(model, model_name="m") as server, pytest.raises(ModelLoadError) as caught:
        server.wait_until_available(120)
    assert re.search(reason, str(caught.value))
    assert str(model) in str(caught.value)
