"""Work that gives way has all its results, and takes nobody else down with it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from serving.server import precedence, savedmodel
from serving.server.flags import Flags
from serving.server.loader import LoadSettings, ModelLoader, settings_of
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.runtime.session import SessionModel
from serving.server.savedmodel import LoadOptions
from tests.fakes.servable import FakeServable
from tests.fakes.versions import make_version

linux = pytest.mark.skipif(sys.platform != "linux", reason="not on this stack: niceness of a thread is Linux's")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_what_the_work_returns_comes_back():
    assert precedence.give_way(lambda: "done") == "done"


def test_what_the_work_raises_comes_back():
    def fail() -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        precedence.give_way(fail)


@linux
def test_the_work_gives_way_and_its_caller_does_not():
    before = niceness()
    assert precedence.give_way(niceness) == max(10, before)
    assert niceness() == before


@linux
def test_threads_that_the_work_starts_give_way():
    found: list[int] = []

    def start() -> None:
        thread = threading.Thread(target=lambda: found.append(niceness()))
        thread.start()
        thread.join()

    precedence.give_way(start)
    assert found == [max(10, niceness())]


class InSession(FakeServable, SessionModel):
    """A model that the loader takes for one in a session of TensorFlow."""


def niceness_of_loads(monkeypatch: pytest.MonkeyPatch, base: Path, made: type[FakeServable], settings: LoadSettings) -> list[int]:
    """Of three loads, one after the other."""
    seen: list[int] = []

    def load(*_: object) -> FakeServable:
        seen.append(niceness())
        return made()

    monkeypatch.setattr(savedmodel, "load", load)
    loader = ModelLoader({"tensorflow": settings}, Metrics())
    for number in (1, 2, 3):
        loader.load(ModelConfig("m", str(base)), make_version(base, number))
    return seen


@linux
def test_a_load_gives_way_once_another_has_made_the_threads_that_run_models(monkeypatch, tmp_path):
    now, later = niceness(), max(10, niceness())
    assert niceness_of_loads(monkeypatch, tmp_path, InSession, LoadSettings(LoadOptions())) == [now, later, later]


@linux
@pytest.mark.parametrize("made", [FakeServable, InSession])
def test_a_load_that_makes_threads_to_run_models_does_not_give_way(monkeypatch, tmp_path, made):
    settings = LoadSettings(LoadOptions(), own_threads=made is InSession)
    assert niceness_of_loads(monkeypatch, tmp_path, made, settings) == [niceness()] * 3


def test_a_session_config_file_may_bring_threads_of_its_own(tmp_path):
    file = tmp_path / "session.config"
    file.write_text("use_per_session_threads: true", encoding="utf-8")
    assert [one.own_threads for one in settings_of(Flags()).values()] == [False]
    assert [one.own_threads for one in settings_of(Flags(tensorflow_session_config_file=str(file))).values()] == [True]
