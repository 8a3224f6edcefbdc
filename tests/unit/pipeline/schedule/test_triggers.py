"""What comes next, and whether a run is started then."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pipeline.schedule.base import Schedule
from pipeline.schedule.triggers import Beat, looks_first, next_beat, starts_run


def moment(text):
    return datetime.fromisoformat(f"2026-11-20T{text}:00").replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("trigger", "after", "at", "occasion"),
    [
        ("time", "12:01", "13:00", "time"),
        ("data", "12:01", "13:00", "look"),
        ("both", "12:01", "12:16", "look"),
        ("both", "12:45", "13:00", "time"),  # the time wins where both fall together
        ("both", "12:50", "13:00", "time"),
        ("time", "13:00", "14:00", "time"),
    ],
)
def test_what_comes_next(trigger, after, at, occasion):
    assert next_beat(Schedule("a", "taxi", "0 * * * *", trigger=trigger), moment(after)) == Beat(moment(at), occasion)


def test_a_poll_does_not_swallow_a_time_that_jitter_made_late():
    schedule = Schedule("a", "taxi", "0 * * * *", trigger="both", jitter_seconds=1200, poll_minutes=15)
    assert next_beat(schedule, moment("12:50"), chance=1.0) == Beat(moment("13:20"), "time")


@pytest.mark.parametrize(
    ("jitter", "chance", "late"), [(60, 0.0, 0), (60, 0.5, 30), (60, 1.0, 60), (0, 1.0, 0), (7200, 1.0, 1800), (7200, 0.5, 900)]
)
def test_jitter_is_never_more_than_half_the_way_to_the_following_time(jitter, chance, late):
    beat = next_beat(Schedule("a", "taxi", "0 * * * *", jitter_seconds=jitter), moment("12:01"), chance)
    assert beat.at == moment("13:00") + timedelta(seconds=late)


@pytest.mark.parametrize(
    ("trigger", "occasion", "seen", "known", "runs"),
    [
        ("time", "time", "", None, True),
        ("time", "asked", "", "a", True),
        ("data", "look", "a", "a", False),
        ("data", "look", "b", "a", True),
        ("data", "look", "a", None, True),
        ("data", "asked", "a", "a", True),
        ("both", "look", "a", "a", False),
        ("both", "look", "b", "a", True),
        ("both", "time", "a", "a", True),
        ("both", "asked", "a", "a", True),
    ],
)
def test_whether_a_run_is_started(trigger, occasion, seen, known, runs):
    assert starts_run(trigger, occasion, seen, known) is runs


@pytest.mark.parametrize(("trigger", "looks"), [("time", False), ("data", True), ("both", True)])
def test_only_a_trigger_that_wants_news_looks_for_it(trigger, looks):
    assert looks_first(trigger) is looks
