"""A launcher got ready ahead is the one the gate takes, once."""

from __future__ import annotations

import pytest

from components.infra_validator import standby
from configs.errors import UsageError
from tests.fakes.launcher import FakeLauncher


@pytest.fixture(autouse=True)
def launchers(monkeypatch):
    """Every fake launcher that was made; none is left over for the next test."""
    made: list[FakeLauncher] = []

    def load(name):
        if name != "fake":
            raise UsageError(f"unknown launcher {name!r}")
        return lambda: made.append(FakeLauncher()) or made[-1]

    monkeypatch.setattr(standby, "load", load)
    yield made
    standby.dismiss()


def test_what_was_got_ready_is_taken(launchers):
    standby.prepare("fake", "taxi")
    taken = standby.take("fake")
    assert launchers == [taken]
    assert taken.prepared == "taxi"


def test_it_is_taken_once(launchers):
    standby.prepare("fake", "taxi")
    assert standby.take("fake") is not standby.take("fake")
    assert len(launchers) == 2


def test_without_preparation_a_new_one_is_made():
    assert standby.take("fake").prepared is None


def test_getting_ready_twice_makes_one(launchers):
    for _ in range(2):
        standby.prepare("fake", "taxi")
    assert len(launchers) == 1


def test_what_nobody_took_is_closed(launchers):
    standby.prepare("fake", "taxi")
    standby.dismiss()
    assert launchers[0].prepared is None
    assert standby.take("fake") is not launchers[0]
    standby.dismiss()


def test_an_unknown_launcher_is_refused():
    with pytest.raises(UsageError, match="unknown launcher 'moon'"):
        standby.take("moon")
