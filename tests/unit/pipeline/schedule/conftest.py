"""A clock that is moved by hand, children that end when they are told to, and a folder of schedules."""

from __future__ import annotations

import contextlib
import errno
import os
from datetime import datetime, timedelta, timezone

import pytest

from configs.environment import EnvironmentConfig
from pipeline.schedule.base import Place, Schedule
from pipeline.schedule.book import local_book
from pipeline.schedule.child import Ended
from pipeline.schedule.local import LocalScheduler
from pipeline.schedule.loop import Loop


class Clock:
    def __init__(self, text="2026-11-20T12:00:00+00:00"):
        self.now = datetime.fromisoformat(text)

    def __call__(self):
        return self.now

    def to(self, text):
        self.now = datetime.fromisoformat(text).astimezone(timezone.utc)

    def on(self, **time):
        self.now += timedelta(**time)


class FakeChild:
    """Runs until `ended` is set."""

    def __init__(self, schedule, verb):
        self.schedule, self.verb, self.ended, self.asked_to_end = schedule, verb, None, False

    def poll(self):
        return self.ended

    def terminate(self):
        self.asked_to_end = True

    def stop(self):
        return self.ended or Ended("failed", "failed: ended by SIGTERM")


class Machine:
    """A machine with a state folder: `boot` starts its scheduler, `crash` takes it away."""

    def __init__(self, state):
        self.clock, self.children, self.said, self.cannot_start, self.luck = Clock(), [], [], None, 0.0
        self.place = Place("local", EnvironmentConfig(state=str(state)))
        self.book = local_book(self.place.config)
        self.scheduler = LocalScheduler(self.place, now=self.clock, chance=lambda: self.luck)
        self.boot()

    def boot(self):
        self.loop = Loop(self.book, self._start, self.said.append, now=self.clock, chance=lambda: self.luck)

    def _start(self, schedule, verb):
        if self.cannot_start:
            raise self.cannot_start
        self.children.append(FakeChild(schedule, verb))
        return self.children[-1]

    def set(self, cron="0 3 * * *", name="taxi", **fields):
        return self.scheduler.set(Schedule(**{"name": name, "use_case": "taxi", "cron": cron, **fields}))

    def at(self, text):
        """Move the clock there and go one round; what was started by it."""
        self.clock.to(text)
        return self.round()

    def round(self):
        before = len(self.children)
        self.loop.round()
        return [child.verb for child in self.children[before:]]

    def ends(self, kind="ok", text="live v1", fingerprint=""):
        """The newest child ends like this; what the round after it starts."""
        self.children[-1].ended = Ended(kind, text, fingerprint)
        return self.round()

    def entry(self, name="taxi"):
        return self.book.read(name)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "state")


@pytest.fixture
def no_space(monkeypatch):
    """A disk that is full for the time of a block."""

    @contextlib.contextmanager
    def full():
        def fsync(_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            yield

    return full
