"""Upstream's ways, bug for bug: all models share one pass, one thread and one fate."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from serving.protocol.status import Code, State
from serving.server.loads import Loads
from serving.server.model_config import VersionPolicy
from serving.server.models import Models
from serving.server.policy import Retries
from serving.server.strict_watcher import StrictWatcher
from serving.server.watcher import Outlook
from tests.fakes.versions import FakeLoader, config, make_version, until

UP, ENDED = State.AVAILABLE, State.END


class Scene:
    """A strict watcher, past its start unless said otherwise, and all that it works with."""

    def __init__(self, *configs, retries=0, interval=0.0, load_threads=0, poll_seconds=1.0, started=True) -> None:
        self.models, self.loader = Models(), FakeLoader()
        self.watcher = StrictWatcher(
            Loads(self.models, self.loader),
            poll_seconds=poll_seconds,
            retries=Retries(retries, interval),
            load_threads=load_threads,
        )
        if started:
            self.watcher.started()
        self.watcher.follow(configs)

    def poll(self) -> dict[str, dict[int, State]]:
        self.watcher.poll()
        self.watcher.act()
        return {name: self.models.states(name) for name in self.models.names()}


def test_a_new_version_replaces_the_old_one(tmp_path):
    scene = Scene(config("m", tmp_path))
    make_version(tmp_path, 1)
    scene.poll()
    make_version(tmp_path, 2)
    assert scene.poll() == {"m": {1: ENDED, 2: UP}}


def test_one_missing_base_path_stops_every_model(tmp_path, caplog):
    make_version(tmp_path / "a", 1)
    scene = Scene(config("a", tmp_path / "a"), config("b", tmp_path / "b"))
    with caplog.at_level(logging.ERROR):
        assert scene.poll() == {}
    assert f"Could not find base path {tmp_path / 'b'} for servable b with error" in caplog.text
    (tmp_path / "b").mkdir()
    assert scene.poll() == {"a": {1: UP}}


def test_an_empty_folder_unloads_everything(tmp_path, caplog):
    path = make_version(tmp_path, 1)
    scene = Scene(config("m", tmp_path))
    scene.poll()
    path.rename(tmp_path / "away")
    assert scene.poll() == {"m": {1: ENDED}}
    assert "Did you forget to name your leaf directory as a number (eg. '/1/')?" in caplog.text


def test_a_missing_base_path_unloads_nothing(tmp_path):
    base = tmp_path / "base"
    make_version(base, 1)
    scene = Scene(config("m", base))
    scene.poll()
    base.rename(tmp_path / "away")
    assert scene.poll() == {"m": {1: UP}}


def test_specific_without_versions_unloads_everything(tmp_path):
    make_version(tmp_path, 1)
    scene = Scene(config("m", tmp_path))
    scene.poll()
    scene.watcher.follow([config("m", tmp_path, VersionPolicy("specific"))])
    assert scene.poll() == {"m": {1: ENDED}}


def test_a_plain_file_is_a_version_and_does_not_load(tmp_path):
    (tmp_path / "7").write_text("")
    assert Scene(config("m", tmp_path)).poll() == {"m": {7: ENDED}}


def test_every_error_is_tried_again_and_then_never_while_it_stays(tmp_path):
    path = make_version(tmp_path, 1, "INVALID_ARGUMENT")
    scene = Scene(config("m", tmp_path), retries=2)
    scene.poll()
    assert len(scene.loader.calls) == 3
    (path / "saved_model.pb").write_text("ok")
    assert scene.poll() == {"m": {1: ENDED}}
    path.rename(tmp_path / "away")
    scene.poll()
    (tmp_path / "away").rename(path)
    assert scene.poll() == {"m": {1: UP}}


def test_a_bad_newest_version_is_not_made_up_for_by_an_older_one(tmp_path):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    assert Scene(config("m", tmp_path)).poll() == {"m": {2: ENDED}}


def test_a_bad_newest_version_leaves_the_old_one_up(tmp_path):
    make_version(tmp_path, 1)
    scene = Scene(config("m", tmp_path))
    scene.poll()
    make_version(tmp_path, 2, "DATA_LOSS")
    assert scene.poll() == {"m": {1: UP, 2: ENDED}}


def test_models_load_one_after_the_other(tmp_path):
    make_version(tmp_path / "a", 1, "DATA_LOSS")
    make_version(tmp_path / "b", 1)
    scene = Scene(config("a", tmp_path / "a"), config("b", tmp_path / "b"), retries=1)
    scene.poll()
    assert scene.loader.calls == [("a", "1"), ("a", "1"), ("b", "1")]


def test_a_removed_model_is_unloaded_and_comes_back_afresh(tmp_path):
    make_version(tmp_path, 1)
    bad = make_version(tmp_path, 2, "DATA_LOSS")
    both = config("m", tmp_path, VersionPolicy("all"))
    scene = Scene(both)
    assert scene.poll() == {"m": {1: UP, 2: ENDED}}
    scene.watcher.follow([])
    scene.watcher.act()
    assert scene.models.states("m") == {1: ENDED, 2: ENDED}
    (bad / "saved_model.pb").write_text("ok")
    scene.watcher.follow([both])
    assert scene.poll() == {"m": {1: UP, 2: UP}}


def test_a_model_removed_during_a_load_that_fails_starts_afresh(tmp_path):
    make_version(tmp_path, 1, "DATA_LOSS")
    scene = Scene(config("m", tmp_path))
    scene.loader.meanwhile.append(lambda: scene.watcher.follow([]))
    scene.poll()
    scene.watcher.follow([config("m", tmp_path)])
    scene.poll()
    assert len(scene.loader.calls) == 2


def test_the_first_version_to_get_there_decides(tmp_path):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    scene = Scene(config("m", tmp_path, VersionPolicy("all")))
    assert scene.watcher.outlook("m", 0) is Outlook.TRYING
    scene.poll()
    assert scene.watcher.outlook("m", 0) is Outlook.FAILED
    assert [(status.version, status.code) for status in scene.watcher.failures("m", 0)] == [(2, Code.DATA_LOSS)]


def test_what_ended_before_does_not_decide(tmp_path):
    make_version(tmp_path, 1, "DATA_LOSS")
    scene = Scene(config("m", tmp_path))
    scene.poll()
    since = scene.models.generation
    assert scene.watcher.outlook("m", since) is Outlook.TRYING
    make_version(tmp_path, 2)
    scene.poll()
    assert scene.watcher.outlook("m", since) is Outlook.SERVED


@pytest.fixture
def running():
    scenes: list[Scene] = []
    yield scenes.append
    for scene in scenes:
        scene.watcher.stop()


def test_with_threads_one_bad_model_delays_no_other(tmp_path, running):
    make_version(tmp_path / "a", 1, "DATA_LOSS")
    make_version(tmp_path / "b", 1)
    scene = Scene(config("a", tmp_path / "a"), config("b", tmp_path / "b"), retries=1, interval=60.0, load_threads=2)
    running(scene)
    scene.watcher.start()
    until(scene.models, {"a": {1: State.LOADING}, "b": {1: UP}})
    scene.watcher.stop()
    until(scene.models, {"a": {1: ENDED}})


def test_during_the_start_models_load_side_by_side(tmp_path, running):
    make_version(tmp_path / "a", 1, "DATA_LOSS")
    make_version(tmp_path / "b", 1)
    scene = Scene(config("a", tmp_path / "a"), config("b", tmp_path / "b"), retries=1, interval=60.0, started=False)
    running(scene)
    scene.watcher.start()
    until(scene.models, {"a": {1: State.LOADING}, "b": {1: UP}})


def test_a_period_of_zero_looks_once(tmp_path, running):
    make_version(tmp_path / "a", 1)
    make_version(tmp_path / "b", 1)
    a, b = config("a", tmp_path / "a"), config("b", tmp_path / "b")
    scene = Scene(a, poll_seconds=0)
    running(scene)
    scene.watcher.start()
    until(scene.models, {"a": {1: UP}})
    scene.watcher.follow([b])
    until(scene.models, {"a": {1: ENDED}, "b": {}})


def test_a_period_looks_again(tmp_path, running):
    scene = Scene(config("m", tmp_path), poll_seconds=0.02)
    running(scene)
    scene.watcher.start()
    make_version(tmp_path, 1)
    until(scene.models, {"m": {1: UP}})


def test_a_stop_ends_the_retries(tmp_path, running):
    make_version(tmp_path, 1, "DATA_LOSS")
    scene = Scene(config("m", tmp_path), retries=5, interval=60.0)
    running(scene)
    threading.Timer(0.02, scene.watcher.stop).start()
    assert scene.poll() == {"m": {1: ENDED}}
    assert len(scene.loader.calls) == 1


def test_a_negative_period_never_looks(tmp_path: Path, running):
    make_version(tmp_path, 1)
    scene = Scene(config("m", tmp_path), poll_seconds=-1)
    running(scene)
    scene.watcher.start()
    threading.Event().wait(0.03)
    assert scene.models.names() == []
