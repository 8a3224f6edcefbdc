"""The verbs on this machine: in place, and as often as one likes."""

from __future__ import annotations

import pytest

from configs.errors import UsageError
from pipeline.schedule.child import Ended


def test_set_makes_changes_and_leaves_alone(machine):
    assert machine.set("0 3 * * *") == "created"
    assert machine.set("0 3 * * *") == "unchanged"
    assert machine.set("0 4 * * *") == "updated"
    assert [status.schedule.cron for status in machine.scheduler.list()] == ["0 4 * * *"]
    assert machine.entry().next_run.isoformat() == "2026-11-21T04:00:00+00:00"


def test_setting_the_same_again_does_not_move_a_time_that_is_due(machine):
    machine.set()
    machine.clock.to("2026-11-23T12:00:00+00:00")
    assert machine.set() == "unchanged"
    assert machine.round() == ["run"]


def test_a_change_keeps_what_was(machine):
    machine.set(trigger="data")
    machine.at("2026-11-21T03:00:00+00:00")
    machine.ends("ok", "looked", "sha256:a")
    machine.ends("ok", "live v3")
    machine.scheduler.pause("taxi")
    machine.set("0 4 * * *", trigger="data")
    entry = machine.entry()
    assert (entry.last, entry.fingerprint, entry.paused) == ("live v3", "sha256:a", True)
    machine.set("0 4 * * *", trigger="data", overrides=("data.source=x",))
    assert machine.entry().fingerprint is None  # the news of other data


def test_pause_and_resume_may_be_repeated(machine):
    machine.set()
    for _ in range(2):
        machine.scheduler.pause("taxi")
        (status,) = machine.scheduler.list()
        assert (status.paused, status.reason, status.next_run) == (True, "asked for", None)
    for _ in range(2):
        machine.scheduler.resume("taxi")
        (status,) = machine.scheduler.list()
        assert (status.paused, status.reason) == (False, "")


def test_the_reason_of_a_stop_is_kept_when_it_is_paused_again(machine):
    machine.set(stop_after_failures=1)
    machine.at("2026-11-21T03:00:00+00:00")
    machine.ends("failed", "failed: x")
    machine.scheduler.pause("taxi")
    assert "1 failed runs in a row" in machine.scheduler.list()[0].reason


@pytest.mark.parametrize("verb", ["pause", "resume", "run_now", "delete"])
def test_an_unknown_name_is_told_with_those_there_are(machine, verb):
    machine.set(name="homes")
    with pytest.raises(UsageError, match=r"no schedule 'taxi' in .*; there are: homes"):
        getattr(machine.scheduler, verb)("taxi")


def test_asking_for_a_run_says_what_is_needed(machine):
    machine.set()
    assert "sluiceway schedule start" in machine.scheduler.run_now("taxi")
    with machine.book.held():
        assert "within seconds" in machine.scheduler.run_now("taxi")
        machine.round()
        assert "under way already" in machine.scheduler.run_now("taxi")
    assert machine.entry().asked is False


def test_a_damaged_schedule_is_listed_as_that_and_the_others_as_ever(machine):
    machine.set()
    machine.set(name="homes")
    (machine.book.folder / "taxi.json").write_text('{"schedule": 1}', encoding="utf-8")
    homes, taxi = machine.scheduler.list()
    assert homes.next_run is not None
    assert (taxi.damaged, taxi.paused, homes.damaged) == (True, False, False)
    assert "taxi.json: not a schedule" in taxi.reason
    assert machine.set() == "created"
    assert [status.damaged for status in machine.scheduler.list()] == [False, False]


def test_a_renamed_file_is_damage_and_does_not_run(machine):
    machine.set(name="good")
    folder = machine.book.folder
    (folder / "good.json").rename(folder / "renamed.json")
    (status,) = machine.scheduler.list()
    assert (status.damaged, status.schedule.name) == (True, "renamed")
    assert "renamed.json: holds the schedule 'good'; rename it to good.json, or delete it" in status.reason
    assert machine.at("2026-12-01T03:00:00+00:00") == []
    assert machine.said == [status.reason]
    machine.scheduler.delete("renamed")
    assert machine.scheduler.list() == []


def test_what_goes_on_is_told_in_the_schedules_zone(machine):
    machine.set(trigger="data", timezone="Europe/Berlin")
    machine.scheduler.run_now("taxi")
    assert "asked" in machine.scheduler.list()[0].details
    machine.at("2026-11-21T03:00:00+01:00")
    with machine.book.held():
        (status,) = machine.scheduler.list()
    assert status.details == {"running since": "2026-11-21 03:00:00+01:00"}
    machine.ends("ok", "looked", "sha256:a")
    machine.ends("ok", "live v1")
    machine.at("2026-11-22T03:00:00+01:00")
    machine.ends("ok", "looked", "sha256:a")
    assert machine.scheduler.list()[0].details == {"looked for new data": "2026-11-22 03:00:00+01:00 nothing new"}


def test_a_run_whose_scheduler_died_is_not_under_way(machine):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    (status,) = machine.scheduler.list()
    assert status.details == {"cut short": "the scheduler died during the run of 2026-11-21 03:00:00+00:00"}


@pytest.mark.parametrize(("at", "overdue"), [("02:59:00", False), ("03:00:01", False), ("03:00:10", True)])
def test_a_time_that_passed_is_overdue(machine, at, overdue):
    machine.set()
    machine.clock.to(f"2026-11-21T{at}+00:00")
    assert machine.scheduler.list()[0].overdue is overdue
    machine.scheduler.pause("taxi")
    assert machine.scheduler.list()[0].overdue is False


def test_what_is_under_way_is_not_overdue(machine):
    machine.set("*/10 * * * *")
    machine.at("2026-11-20T12:10:00+00:00")
    machine.clock.to("2026-11-20T12:35:00+00:00")
    assert machine.scheduler.list()[0].overdue is False


@pytest.mark.parametrize(("trigger", "look"), [("time", False), ("data", True), ("both", True)])
def test_the_next_is_a_look_where_it_is_one(machine, trigger, look):
    machine.set(trigger=trigger)
    assert machine.scheduler.list()[0].next_is_look is look


def test_where_the_last_run_told_more_is_kept_until_the_next_one(machine):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    machine.children[-1].ended = Ended("ok", "live v1", log="/runs/7/log.txt")
    machine.round()
    assert machine.scheduler.list()[0].log == "/runs/7/log.txt"
    machine.at("2026-11-22T03:00:00+00:00")
    machine.ends("ok", "live v2")
    assert machine.scheduler.list()[0].log == ""
