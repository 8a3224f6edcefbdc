"""One beat inside a container: run once, remember beside the versions, stop after repeated failure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Event

import pytest
from msgspec.structs import replace

from configs.environment import EnvironmentConfig, Store
from configs.errors import UsageError
from pipeline.schedule import fire as module
from pipeline.schedule.base import Schedule
from pipeline.schedule.book import Entry
from pipeline.schedule.child import Ended
from pipeline.schedule.fire import Fired, cluster_book, fire

LIVE = Ended("ok", "live v1")
FAILED = Ended("failed", "failed: no space left")


class Container:
    """What a cluster does: every call is a new container with the same store."""

    def __init__(self, tmp_path):
        self.book = cluster_book(EnvironmentConfig(state=str(tmp_path / "gone"), store=Store(path=str(tmp_path / "store"))))
        self.now = datetime(2026, 11, 20, 3, tzinfo=timezone.utc)
        self.started = []

    def fire(self, *ends, trigger="time", stop_after=3, **options):
        """The container's children end like this, in this order."""
        waiting = list(ends)
        schedule = Schedule("taxi", "taxi", "0 3 * * *", trigger=trigger, stop_after_failures=stop_after)

        def start(_, verb):
            self.started.append(verb)
            return Done(waiting.pop(0))

        self.now += timedelta(days=1)
        return fire(self.book, schedule, start, lambda _: None, Event(), now=lambda: self.now, **options)


class Done:
    def __init__(self, ended):
        self.ended = ended

    def poll(self):
        return self.ended

    def terminate(self):
        pass

    def stop(self):
        return self.ended or Ended("failed", "failed: ended by SIGTERM")


@pytest.fixture
def container(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.0)
    monkeypatch.setattr(module, "_IDLE_ROUNDS", 3)
    return Container(tmp_path)


def test_what_it_remembers_lies_in_the_store_where_no_model_server_looks(container, tmp_path):
    assert container.fire(LIVE) == Fired("ok", "live v1")
    assert (tmp_path / "store" / ".schedules" / "taxi.json").is_file()
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    ("ended", "fired"),
    [
        (Ended("refused", "refused by evaluator: x"), Fired("ok", "refused by evaluator: x")),
        (Ended("skipped", "skipped: another run"), Fired("ok", "skipped: another run")),
        (FAILED, Fired("failed", "failed: no space left")),
    ],
)
def test_a_refusal_is_a_result_and_a_failure_is_one(container, ended, fired):
    assert container.fire(ended) == fired


def test_failures_in_a_row_stop_it_across_containers_until_it_is_resumed(container):
    assert [container.fire(FAILED, stop_after=2).kind for _ in range(2)] == ["failed", "paused"]
    assert container.fire(stop_after=2) == Fired("paused", "paused: " + container.book.read("taxi").reason)
    assert len(container.started) == 2
    assert container.fire(LIVE, asked=True) == Fired("ok", "live v1")
    assert container.fire(stop_after=2).kind == "paused"
    assert container.fire(LIVE, stop_after=2, resumed=container.now) == Fired("ok", "live v1")


def test_a_time_of_long_ago_does_not_resume_what_failed_since(container):
    resumed = container.now
    for _ in range(2):
        container.fire(FAILED, stop_after=2, resumed=resumed)
    assert container.fire(stop_after=2, resumed=resumed).kind == "paused"


def test_without_news_nothing_runs(container):
    look = Ended("ok", "looked", "sha256:a")
    assert container.fire(look, LIVE, trigger="data") == Fired("ok", "live v1")
    assert container.fire(look, trigger="data") == Fired("ok", "nothing new")
    assert container.started == ["check", "run", "check"]
    assert container.fire(look, LIVE, trigger="data", asked=True) == Fired("ok", "live v1")


def test_a_container_that_was_killed_is_counted_and_its_successor_runs(container):
    schedule = Schedule("taxi", "taxi", "0 3 * * *")
    container.book.put("taxi", lambda _: Entry(schedule=schedule, next_run=container.now, running=container.now))
    assert container.fire(LIVE) == Fired("ok", "live v1")
    container.book.put("taxi", lambda entry: replace(entry, running=container.now))
    assert container.fire(stop_after=1).kind == "paused"


def test_two_containers_of_one_use_case_do_not_run_at_once(container):
    def inside(_, __):
        schedule = Schedule("taxi-2", "taxi", "0 3 * * *")
        seen.append(fire(container.book, schedule, inside, lambda _: None, Event(), now=lambda: container.now))
        return Done(LIVE)

    seen = []
    fire(container.book, Schedule("taxi", "taxi", "0 3 * * *"), inside, lambda _: None, Event())
    assert seen == [Fired("ok", "skipped: another run of the use case was under way")]


def test_a_signal_ends_the_run_with_it_and_is_told(container):
    stop = Event()

    def start(_, __):
        stop.set()
        return Done(None)

    fired = fire(container.book, Schedule("taxi", "taxi", "0 3 * * *"), start, lambda _: None, stop)
    assert fired == Fired("failed", "interrupted: the scheduler was stopped")


def test_a_store_that_cannot_be_written_is_told(container, no_space):
    with no_space(), pytest.raises(UsageError, match="cannot be written: No space left on device"):
        container.fire(LIVE)
    assert container.started == []
