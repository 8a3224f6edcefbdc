"""Every launcher keeps the contract: the fake, and each one on the nearest real thing this machine has."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving.errors import LaunchError, LaunchTimeout, ModelLoadError, ServerDied
from serving.launchers import LAUNCHERS, open_launcher
from serving.launchers.base import Launcher
from tests.fakes.engines import engine
from tests.fakes.launcher import FakeLauncher
from tests.integration.serving.small_model import saved_model


@pytest.fixture(params=["fake", *LAUNCHERS])
def launcher(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Launcher]:
    if request.param == "fake":
        yield FakeLauncher()
        return
    with ExitStack() as stack:
        target, left = stack.enter_context(engine(request.param, tmp_path_factory.mktemp("engine"), monkeypatch))
        # A temporary directory of its own, for parent and child, in which nothing may be left.
        temporary = tmp_path_factory.mktemp("temporary")
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("TMPDIR", str(temporary))
        with open_launcher(target) as opened:
            yield opened
        assert list(temporary.iterdir()) == []
        assert left() == []


@pytest.fixture(scope="module")
def model_dir() -> Path:
    return saved_model("plain")


def test_a_good_model_becomes_available(launcher, model_dir):
    with launcher.launch(model_dir, model_name="m") as server:
        assert 0 < server.wait_until_available(120) < 60
        assert server.model_name == "m"
        assert server.rest_address.startswith("http://127.")
        assert server.grpc_address.startswith("127.")
        assert server.resident_memory() > 2**20


def test_what_can_launch_says_so_ahead(launcher):
    launcher.check()


def test_waiting_again_is_fine(launcher, model_dir):
    with launcher.launch(model_dir, model_name="m") as server:
        server.wait_until_available(120)
        server.wait_until_available(120)


def test_a_server_may_be_stopped_half_way_and_twice(launcher, model_dir):
    server = launcher.launch(model_dir, model_name="m")
    server.stop()
    server.stop()
    assert isinstance(server.logs(), str)
    with pytest.raises(ServerDied):
        server.resident_memory()


def test_a_prepared_launcher_launches(launcher, model_dir):
    launcher.prepare(model_name="m")
    launcher.prepare(model_name="m")
    with launcher.launch(model_dir, model_name="m") as server:
        server.wait_until_available(120)


def test_a_launcher_prepared_for_another_name_launches(launcher, model_dir):
    launcher.prepare(model_name="other")
    with launcher.launch(model_dir, model_name="m") as server:
        server.wait_until_available(120)


def test_preparing_for_nothing_leaves_nothing(launcher):
    launcher.prepare(model_name="m")
    launcher.close()
    launcher.close()


@pytest.mark.parametrize("content", [None, b"junk"])
def test_a_directory_that_is_no_model_is_refused_by_name(launcher, tmp_path, content):
    if content is not None:
        (tmp_path / "saved_model.pb").write_bytes(content)
    with launcher.launch(tmp_path, model_name="m") as server, pytest.raises(ModelLoadError, match=r"saved_model\.pb") as caught:
        server.wait_until_available(120)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_directory_is_the_callers_mistake(launcher, tmp_path):
    with pytest.raises(LaunchError, match="is not a directory"):
        launcher.launch(tmp_path / "missing", model_name="m")


def test_a_deadline_is_kept(launcher, model_dir):
    with launcher.launch(model_dir, model_name="m") as server, pytest.raises(LaunchTimeout):
        server.wait_until_available(0)


def test_an_exception_in_the_block_stops_the_server(launcher, model_dir):
    with pytest.raises(RuntimeError, match="of the caller"), launcher.launch(model_dir, model_name="m") as server:
        raise RuntimeError("of the caller")
    with pytest.raises(ServerDied):
        server.resident_memory()
