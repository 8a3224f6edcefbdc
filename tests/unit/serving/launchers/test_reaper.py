"""The reaper acts when its parent is gone, and not before."""

from __future__ import annotations

import os

import pytest

from configs.errors import SluicewayError
from serving.launchers import reaper
from serving.launchers.target import Target, dump

TARGET = Target("docker", "image")


class Engine:
    """Time passes by sleeping; `removed` tells what each look finds."""

    def __init__(self, *found: bool | Exception) -> None:
        self.found, self.asked, self.now = list(found), [], 0.0

    def remove(self, target: Target, name: str) -> bool:
        self.asked.append((target, name, self.now))
        result = self.found.pop(0) if self.found else False
        if isinstance(result, Exception):
            raise result
        return result

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(monkeypatch: pytest.MonkeyPatch, engine: Engine, parents: list[int]) -> int:
    monkeypatch.setattr(reaper, "_REMOVERS", {"docker": "engine:remove"})
    monkeypatch.setattr(reaper, "import_module", lambda _: engine)
    monkeypatch.setattr(os, "getppid", lambda: parents.pop(0) if parents else 1)
    return reaper.main(["7", dump([TARGET]), "name"], sleep=engine.sleep, clock=lambda: engine.now)


def test_it_waits_for_the_end_of_its_parent(monkeypatch):
    engine = Engine(True)
    assert run(monkeypatch, engine, [7, 7, 7, 1]) == 0
    ((target, name, when),) = engine.asked
    assert (target, name) == (TARGET, "name")
    assert when > 0.2


def test_it_goes_on_looking_for_what_is_just_being_made(monkeypatch):
    engine = Engine(False, SluicewayError("the engine is busy"), True)
    assert run(monkeypatch, engine, []) == 0
    assert len(engine.asked) == 3


def test_it_gives_up_in_the_end(monkeypatch):
    engine = Engine()
    assert run(monkeypatch, engine, []) == 1
    assert engine.now < 60
