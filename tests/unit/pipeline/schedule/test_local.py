"""The verbs on this machine: in place, and as often as one likes."""

from __future__ import annotations

import pytest

from configs.errors import UsageError


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
    assert taxi.paused
    assert "taxi.json: not a schedule" in taxi.reason
    assert machine.set() == "created"
    assert [status.paused for status in machine.scheduler.list()] == [False, False]


def test_what_goes_on_is_told(machine):
    machine.set(trigger="data")
    machine.scheduler.run_now("taxi")
    assert "asked" in machine.scheduler.list()[0].details
    machine.at("2026-11-21T03:00:00+00:00")
    assert "running since" in machine.scheduler.list()[0].details
