"""The plan is a table; the watcher follows it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from serving.protocol.status import Code, State, StatusError
from serving.server.models import Models
from serving.server.version_dirs import Found
from serving.server.watcher import Load, Retries, Unload, Watcher, plan
from tests.fakes.servable import FakeServable

UP, ENDED = State.AVAILABLE, State.END


def found(version: int, problem: str | None = None) -> Found:
    return Found(version, Path(str(version)), problem, "as it was")


@pytest.mark.parametrize(
    ("on_disk", "states", "failed", "step"),
    [
        pytest.param([], {}, {}, None, id="nothing there"),
        pytest.param([found(1)], {}, {}, Load(found(1)), id="first version"),
        pytest.param([found(1), found(2)], {}, {}, Load(found(2)), id="only the newest"),
        pytest.param([found(1), found(2)], {1: UP}, {}, Load(found(2)), id="new before old"),
        pytest.param([found(1), found(2)], {1: UP, 2: UP}, {}, Unload(1), id="old once the new is up"),
        pytest.param([found(1), found(2)], {1: ENDED, 2: UP}, {}, None, id="done"),
        pytest.param([found(1), found(2)], {2: ENDED}, {2: "as it was"}, Load(found(1)), id="falls back at start"),
        pytest.param([found(1), found(2)], {1: UP, 2: ENDED}, {2: "as it was"}, None, id="a bad newest leaves the old one up"),
        pytest.param([found(1), found(2)], {1: UP, 2: ENDED}, {2: "other files"}, Load(found(2)), id="changed files are tried again"),
        pytest.param([found(1), found(2, "half")], {1: UP}, {}, None, id="an incomplete version is ignored"),
        pytest.param([found(1)], {1: ENDED, 2: UP}, {}, Load(found(1)), id="the newest was taken away"),
        pytest.param([], {2: UP}, {}, None, id="an empty listing unloads nothing"),
        pytest.param([found(3, "half")], {2: UP}, {}, None, id="nothing but an incomplete one unloads nothing"),
        pytest.param([found(3)], {1: UP, 2: UP, 3: UP}, {}, Unload(1), id="lowest first"),
    ],
)
def test_plan(on_disk, states, failed, step):
    assert plan(on_disk, states, failed) == step


def make_version(base: Path, version: int, content: str = "ok") -> Path:
    path = base / str(version)
    path.mkdir(parents=True)
    (path / "saved_model.pb").write_text(content)
    return path


def load(path: Path) -> FakeServable:
    """Loads what the file says: ok, or fails with the code it names."""
    content = (path / "saved_model.pb").read_text()
    if content != "ok":
        raise StatusError(Code[content], f"{path.name} is {content}")
    return FakeServable()


def watcher_of(base: Path, models: Models) -> Watcher:
    return Watcher(models, "m", base, load, poll_seconds=0.01, retries=Retries(0, 0))


def test_a_new_version_replaces_the_old_one(tmp_path):
    models = Models()
    watcher = watcher_of(tmp_path, models)
    make_version(tmp_path, 1)
    watcher.poll()
    make_version(tmp_path, 2)
    watcher.poll()
    assert models.states("m") == {1: State.END, 2: State.AVAILABLE}


def test_a_version_that_does_not_load_says_why_and_the_older_one_is_served(tmp_path):
    models = Models()
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    watcher = watcher_of(tmp_path, models)
    watcher.poll()
    two, one = models.statuses("m")
    assert (two.state, two.code, two.message) == (State.END, Code.DATA_LOSS, "2 is DATA_LOSS")
    assert one.state is State.AVAILABLE
    assert not watcher.gave_up


def test_the_watcher_gives_up_when_nothing_loads_and_recovers(tmp_path):
    models = Models()
    path = make_version(tmp_path, 1, "DATA_LOSS")
    watcher = watcher_of(tmp_path, models)
    watcher.poll()
    assert watcher.gave_up
    (path / "saved_model.pb").write_text("ok")
    watcher.poll()
    assert not watcher.gave_up
    assert models.states("m") == {1: State.AVAILABLE}


def test_an_incomplete_version_shows_the_reason_until_it_is_complete(tmp_path):
    models = Models()
    (tmp_path / "1").mkdir()
    watcher = watcher_of(tmp_path, models)
    watcher.poll()
    assert models.statuses("m")[0].code is Code.UNAVAILABLE
    assert "saved_model.pb" in models.statuses("m")[0].message
    (tmp_path / "1" / "saved_model.pb").write_text("ok")
    watcher.poll()
    assert models.states("m") == {1: State.AVAILABLE}


def test_a_passing_error_is_retried(tmp_path):
    calls = []

    def flaky(path: Path) -> FakeServable:
        calls.append(path)
        if len(calls) == 1:
            raise StatusError(Code.UNAVAILABLE, "the disk is busy")
        return FakeServable()

    models = Models()
    make_version(tmp_path, 1)
    Watcher(models, "m", tmp_path, flaky, poll_seconds=0, retries=Retries(most=3, interval_seconds=0)).poll()
    assert len(calls) == 2
    assert models.states("m") == {1: State.AVAILABLE}


def test_a_lasting_condition_is_logged_once(tmp_path, caplog):
    watcher = watcher_of(tmp_path / "missing", Models())
    with caplog.at_level(logging.WARNING):
        watcher.poll()
        watcher.poll()
    assert [record.message for record in caplog.records] == [f"waiting for base path {tmp_path / 'missing'}: No such file or directory"]
