"""The watcher follows the plan: one look at a time, with a clock of its own."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from serving.protocol.status import Code, State
from serving.server.loads import Loads
from serving.server.model_config import VersionPolicy
from serving.server.models import Models
from serving.server.policy import Retries
from serving.server.watcher import Outlook, Watcher, Watchers
from tests.fakes.clock import FakeClock
from tests.fakes.versions import FakeLoader, config, make_version, until


class Scene:
    """A watcher on a base path, and all that it works with."""

    def __init__(self, base: Path, *, poll_seconds: float = 1.0, retries: int = 3, policy: VersionPolicy | None = None) -> None:
        self.models, self.loader, self.clock = Models(), FakeLoader(), FakeClock()
        self.watcher = Watcher(
            Loads(self.models, self.loader),
            "m",
            poll_seconds=poll_seconds,
            retries=Retries(retries, 10.0),
            clock=self.clock,
            jitter=lambda: 0.0,
        )
        self.watcher.follow(config("m", base, policy))

    def poll(self) -> dict[int, State]:
        """Look once, and wait for unloads, which happen aside."""
        self.watcher.poll()
        return self.settle()

    def settle(self) -> dict[int, State]:
        while State.UNLOADING in self.models.states("m").values():
            self.models.wait_for_change(self.models.generation, 0.01)
        return self.models.states("m")


def test_a_new_version_replaces_the_old_one(tmp_path):
    scene = Scene(tmp_path)
    make_version(tmp_path, 1)
    scene.poll()
    make_version(tmp_path, 2)
    assert scene.poll() == {1: State.END, 2: State.AVAILABLE}
    assert scene.loader.calls == [("m", "1"), ("m", "2")]


def test_a_slow_request_on_the_old_version_delays_nothing(tmp_path):
    scene = Scene(tmp_path)
    make_version(tmp_path, 1)
    scene.poll()
    with scene.models.lease("m"):
        make_version(tmp_path, 2)
        scene.watcher.poll()
        assert scene.models.states("m") == {1: State.UNLOADING, 2: State.AVAILABLE}
        make_version(tmp_path, 3)
        scene.watcher.poll()
        assert scene.models.states("m")[3] is State.AVAILABLE
    assert scene.settle() == {1: State.END, 2: State.END, 3: State.AVAILABLE}


def test_a_version_that_does_not_load_says_why_and_the_older_one_is_served(tmp_path):
    make_version(tmp_path, 1)
    make_version(tmp_path, 2, "DATA_LOSS")
    scene = Scene(tmp_path)
    scene.poll()
    two, one = scene.models.statuses("m")
    assert (two.state, two.code, two.message) == (State.END, Code.DATA_LOSS, "2 is DATA_LOSS")
    assert one.state is State.AVAILABLE
    assert scene.watcher.outlook is Outlook.SERVED
    scene.poll()
    assert scene.loader.calls == [("m", "2"), ("m", "1")]


def test_a_model_has_failed_when_nothing_loads_and_recovers_when_files_change(tmp_path):
    path = make_version(tmp_path, 1, "DATA_LOSS")
    scene = Scene(tmp_path)
    assert scene.watcher.outlook is Outlook.TRYING
    scene.poll()
    assert scene.watcher.outlook is Outlook.FAILED
    assert [(status.version, status.code) for status in scene.watcher.failures()] == [(1, Code.DATA_LOSS)]
    (path / "saved_model.pb").write_text("ok")
    assert scene.poll() == {1: State.AVAILABLE}
    assert scene.watcher.outlook is Outlook.SERVED


def test_an_incomplete_version_shows_the_reason_until_it_is_complete(tmp_path):
    (tmp_path / "1").mkdir()
    scene = Scene(tmp_path)
    scene.poll()
    assert scene.models.statuses("m")[0].code is Code.UNAVAILABLE
    assert "saved_model.pb" in scene.models.statuses("m")[0].message
    assert scene.watcher.outlook is Outlook.WAITING
    (tmp_path / "1" / "saved_model.pb").write_text("ok")
    assert scene.poll() == {1: State.AVAILABLE}


def test_a_passing_error_is_tried_again_when_its_time_has_come(tmp_path):
    make_version(tmp_path, 1, "UNAVAILABLE")
    scene = Scene(tmp_path)
    for now, calls in ((0.0, 1), (0.49, 1), (0.5, 2), (2.4, 2), (2.5, 3)):
        scene.clock.now = now
        scene.poll()
        assert (now, len(scene.loader.calls)) == (now, calls)
        assert scene.watcher.outlook is Outlook.TRYING
    scene.clock.now = 10.5
    scene.poll()
    assert scene.watcher.outlook is Outlook.FAILED


def test_an_older_version_answers_until_a_passing_error_has_passed(tmp_path):
    make_version(tmp_path, 1)
    path = make_version(tmp_path, 2, "RESOURCE_EXHAUSTED")
    scene = Scene(tmp_path)
    assert scene.poll() == {1: State.AVAILABLE, 2: State.END}
    (path / "saved_model.pb").write_text("ok")
    assert scene.poll() == {1: State.END, 2: State.AVAILABLE}


def test_an_outage_takes_nothing_away(tmp_path):
    base = tmp_path / "base"
    path = make_version(base, 1)
    scene = Scene(base)
    scene.poll()
    (path / "saved_model.pb").unlink()
    assert scene.poll() == {1: State.AVAILABLE}
    path.rmdir()
    assert scene.poll() == {1: State.AVAILABLE}
    base.rmdir()
    assert scene.poll() == {1: State.AVAILABLE}


def test_a_removed_model_goes_at_once(tmp_path):
    make_version(tmp_path, 1)
    scene = Scene(tmp_path)
    scene.poll()
    scene.watcher.follow(None)
    assert not scene.models.ready("m")
    assert scene.settle() == {1: State.END}
    assert scene.poll() == {1: State.END}


def test_a_model_removed_during_a_load_that_fails_starts_afresh(tmp_path):
    make_version(tmp_path, 1, "DATA_LOSS")
    scene = Scene(tmp_path)
    scene.loader.meanwhile += [lambda: scene.watcher.follow(config("m", tmp_path)), lambda: scene.watcher.follow(None)]
    scene.poll()
    scene.poll()
    assert len(scene.loader.calls) == 2


def test_another_policy_is_followed(tmp_path):
    for version in (1, 2, 3):
        make_version(tmp_path, version)
    scene = Scene(tmp_path, policy=VersionPolicy("all"))
    scene.poll()
    scene.watcher.follow(config("m", tmp_path, VersionPolicy("specific", versions=(2,))))
    assert scene.poll() == {1: State.END, 2: State.AVAILABLE, 3: State.END}


def test_another_base_path_is_tried_even_where_the_old_one_failed(tmp_path):
    make_version(tmp_path / "old", 1, "DATA_LOSS")
    scene = Scene(tmp_path / "old")
    scene.poll()
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    scene.watcher.follow(config("m", tmp_path / "new"))
    scene.poll()
    assert len(scene.loader.calls) == 2


@pytest.mark.parametrize(("poll_seconds", "outlook"), [(1.0, Outlook.WAITING), (0, Outlook.FAILED), (-1, Outlook.WAITING)])
def test_what_is_not_there_is_waited_for_unless_nobody_looks_again(tmp_path, poll_seconds, outlook):
    scene = Scene(tmp_path / "missing", poll_seconds=poll_seconds)
    scene.poll()
    assert scene.watcher.outlook is outlook
    assert scene.watcher.failures()[0].message in (
        f"waiting for base path {tmp_path / 'missing'}: No such file or directory",
        "polling is off",
    )


def test_a_negative_period_never_looks(tmp_path):
    make_version(tmp_path, 1)
    assert Scene(tmp_path, poll_seconds=-1).poll() == {}


def test_a_lasting_condition_is_logged_once(tmp_path, caplog):
    scene = Scene(tmp_path / "missing")
    with caplog.at_level(logging.WARNING):
        scene.poll()
        scene.poll()
    assert [record.message for record in caplog.records] == [f"waiting for base path {tmp_path / 'missing'}: No such file or directory"]


def test_each_model_has_a_thread_of_its_own(tmp_path):
    models = Models()
    watchers = Watchers(Loads(models, FakeLoader()), poll_seconds=0.02, retries=Retries())
    make_version(tmp_path / "b", 1)
    watchers.follow([config("a", tmp_path / "missing"), config("b", tmp_path / "b")])
    watchers.start()
    until(models, {"b": {1: State.AVAILABLE}})
    make_version(tmp_path / "b", 2)
    until(models, {"b": {1: State.END, 2: State.AVAILABLE}})
    watchers.follow([config("a", tmp_path / "missing")])
    until(models, {"b": {1: State.END, 2: State.END}})
    watchers.follow([config("b", tmp_path / "b")])
    watchers.start()
    until(models, {"b": {1: State.END, 2: State.AVAILABLE}})
    watchers.stop()


def test_another_base_path_is_warned_of_while_a_version_is_live(tmp_path, caplog):
    scene = Scene(tmp_path / "a")
    make_version(tmp_path / "a", 1)
    scene.watcher.follow(config("m", tmp_path / "b"))
    assert caplog.messages == []
    scene.watcher.follow(config("m", tmp_path / "a"))
    scene.poll()
    scene.watcher.follow(config("m", tmp_path / "b"))
    assert caplog.messages == ["base path of m changed: what is live stays until a version with a higher number is there"]


def test_a_pause_never_outlasts_what_a_lock_can_wait(tmp_path):
    assert Scene(tmp_path, poll_seconds=1e12).watcher._pause() == 86_400.0
