"""Loads are bounded, and told to an observer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from serving.protocol.status import Code, State, StatusError
from serving.server.loads import Loads
from serving.server.models import Models
from tests.fakes.clock import FakeClock
from tests.fakes.servable import FakeServable
from tests.fakes.versions import FakeLoader, config, make_version


class Recorder:
    """An observer that writes everything down."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def loaded(self, model: str, version: int, path: Path, seconds: float) -> None:
        self.events.append(("loaded", model, version, path.name, seconds))

    def load_failed(self, model: str, version: int, path: Path, code: Code) -> None:
        self.events.append(("load_failed", model, version, path.name, code))

    def unloaded(self, model: str, version: int) -> None:
        self.events.append(("unloaded", model, version))


def test_the_observer_hears_of_every_load_and_unload(tmp_path):
    models, clock, observer = Models(), FakeClock(), Recorder()
    good, bad = make_version(tmp_path, 1), make_version(tmp_path, 2, "DATA_LOSS")

    def load(model, path):
        clock.now += 2.0
        return FakeLoader()(model, path)

    loads = Loads(models, load, observer=observer, clock=clock)
    loads.load(config("m", tmp_path), 1, good)
    with pytest.raises(StatusError, match="2 is DATA_LOSS"):
        loads.load(config("m", tmp_path), 2, bad)
    loads.unload("m", 1, wait=True)
    loads.unload("m", 1, wait=True)
    assert observer.events == [("loaded", "m", 1, "1", 2.0), ("load_failed", "m", 2, "2", Code.DATA_LOSS), ("unloaded", "m", 1)]


def test_a_load_is_told_before_anyone_can_see_the_version(tmp_path):
    models = Models()

    class Looks(Recorder):
        def loaded(self, model: str, version: int, path: Path, seconds: float) -> None:
            self.events.append((model, version, path.name, seconds >= 0, models.states(model)[version]))

    observer = Looks()
    Loads(models, FakeLoader(), observer=observer).load(config("m", tmp_path), 1, make_version(tmp_path, 1))
    assert observer.events == [("m", 1, "1", True, State.LOADING)]


def test_an_error_that_no_loader_should_raise_is_a_failed_load(tmp_path):
    observer, models = Recorder(), Models()

    def load(_model, _path):
        raise ValueError("odd")

    with pytest.raises(StatusError, match="ValueError: odd"):
        Loads(models, load, observer=observer).load(config("m", tmp_path), 1, tmp_path / "1")
    assert observer.events == [("load_failed", "m", 1, "1", Code.INTERNAL)]
    assert models.statuses("m")[0].code is Code.INTERNAL


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 2), (0, 3)])
def test_so_many_loads_run_at_once_and_no_more(tmp_path, threads, most):
    models, lock = Models(), threading.Lock()
    running, peak, go = [], [], threading.Event()

    def load(_model, path):
        with lock:
            running.append(path)
            peak.append(len(running))
            if len(running) == most:
                go.set()
        go.wait(10)
        with lock:
            running.remove(path)
        return FakeServable()

    loads = Loads(models, load, load_threads=threads)
    work = [threading.Thread(target=loads.load, args=(config(name, tmp_path), 1, tmp_path / name)) for name in "abc"]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(10)
    assert max(peak) == most
    assert models.all_ready("abc")


def test_who_waits_for_its_turn_is_at_the_start(tmp_path):
    models, seen = Models(), []

    def load(model, _path):
        if model.name == "a":
            waiting.start()
            while not models.states("b"):
                models.wait_for_change(models.generation, 0.01)
            seen.append(models.states("b"))
        return FakeServable()

    loads = Loads(models, load, load_threads=1)
    waiting = threading.Thread(target=loads.load, args=(config("b", tmp_path), 1, tmp_path))
    loads.load(config("a", tmp_path), 1, tmp_path)
    waiting.join(10)
    assert seen == [{1: State.START}]
    assert models.states("b") == {1: State.AVAILABLE}


def test_an_unload_in_the_background_ends_with_the_last_request(tmp_path):
    models = Models()
    loads = Loads(models, FakeLoader())
    loads.load(config("m", tmp_path), 1, make_version(tmp_path, 1))
    with models.lease("m"):
        loads.unload("m", 1, wait=False)
        assert models.states("m") == {1: State.UNLOADING}
    while models.states("m") == {1: State.UNLOADING}:
        models.wait_for_change(models.generation, 0.01)
    assert models.states("m") == {1: State.END}
