"""A launcher got ready ahead is the one the gate takes, once."""

from __future__ import annotations

import pytest

from components.infra_validator import standby
from configs.errors import UsageError
from serving.launchers.target import Target
from tests.fakes.launcher import FakeLauncher

FAKE = Target("fake", "one")


@pytest.fixture(autouse=True)
def launchers(monkeypatch):
    """Every fake launcher that was made; none is left over for the next test."""
    made: list[FakeLauncher] = []

    def open_launcher(target):
        if target.kind != "fake":
            raise UsageError(f"unknown launcher {target.kind!r}")
        made.append(FakeLauncher())
        return made[-1]

    monkeypatch.setattr(standby, "open_launcher", open_launcher)
    yield made
    standby.dismiss()


def test_what_was_got_ready_is_taken(launchers):
    standby.prepare(FAKE, "taxi")
    taken = standby.take(FAKE)
    assert launchers == [taken]
    assert taken.prepared == "taxi"


def test_it_is_taken_once(launchers):
    standby.prepare(FAKE, "taxi")
    assert standby.take(FAKE) is not standby.take(FAKE)
    assert len(launchers) == 2


def test_without_preparation_a_new_one_is_made():
    assert standby.take(FAKE).prepared is None


def test_getting_ready_twice_makes_one(launchers):
    for _ in range(2):
        standby.prepare(FAKE, "taxi")
    assert len(launchers) == 1


def test_what_nobody_took_is_closed(launchers):
    standby.prepare(FAKE, "taxi")
    standby.dismiss()
    assert launchers[0].prepared is None
    assert standby.take(FAKE) is not launchers[0]
    standby.dismiss()


def test_an_unknown_launcher_is_refused():
    with pytest.raises(UsageError, match="unknown launcher 'moon'"):
        standby.take(Target("moon"))


def test_what_was_got_ready_is_for_that_target_alone(launchers):
    standby.prepare(FAKE, "taxi")
    assert standby.take(Target("fake", "two")).prepared is None
    assert standby.take(FAKE) is launchers[0]
