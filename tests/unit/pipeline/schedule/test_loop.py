"""The scheduler of one machine, time travelled: what it starts when, and what it makes of the end."""

from __future__ import annotations

import pytest

from pipeline.schedule.child import Ended


def test_a_run_starts_at_its_time_and_its_verdict_is_kept(machine):
    machine.set(timezone="Europe/Berlin")
    assert machine.at("2026-11-21T02:59:59+01:00") == []
    assert machine.at("2026-11-21T03:00:00+01:00") == ["run"]
    assert machine.entry().running is not None
    assert machine.ends("ok", "live v7") == []
    entry = machine.entry()
    assert (entry.running, entry.last, entry.failures) == (None, "live v7", 0)
    assert machine.said == [
        "taxi: next run at 2026-11-21 03:00:00+01:00",
        "taxi: run of taxi started",
        "taxi: live v7",
        "taxi: next run at 2026-11-22 03:00:00+01:00",
    ]


def test_a_paused_schedule_does_not_run_and_a_resumed_one_makes_nothing_up(machine):
    machine.set()
    machine.scheduler.pause("taxi")
    assert machine.at("2026-11-23T12:00:00+00:00") == []
    machine.scheduler.resume("taxi")
    assert machine.round() == []
    assert machine.at("2026-11-24T03:00:00+00:00") == ["run"]


@pytest.mark.parametrize("trigger", ["time", "both"])
def test_a_sleep_over_many_times_is_made_up_for_once(machine, trigger):
    machine.set("0 * * * *", trigger=trigger)
    assert machine.at("2026-12-24T09:10:00+00:00") != []
    if trigger == "both":
        assert machine.ends("ok", fingerprint="sha256:a") == ["run"]
    assert machine.ends() == []
    assert [machine.at(f"2026-12-24T09:1{minute}:00+00:00") for minute in range(1, 5)] == [[]] * 4


def test_a_time_that_comes_while_a_run_is_under_way_is_let_go(machine):
    machine.set("*/10 * * * *")
    assert machine.at("2026-11-20T12:10:00+00:00") == ["run"]
    assert machine.at("2026-11-20T12:20:00+00:00") == []
    assert machine.at("2026-11-20T12:35:00+00:00") == []
    assert machine.ends() == []
    assert machine.at("2026-11-20T12:40:00+00:00") == ["run"]


def test_two_schedules_of_one_use_case_take_turns_and_others_do_not_wait(machine):
    for name, use_case in (("taxi", "taxi"), ("taxi-weekly", "taxi"), ("homes", "homes")):
        machine.set(name=name, use_case=use_case)
    assert machine.at("2026-11-21T03:00:00+00:00") == ["run", "run"]
    assert sorted(child.schedule.name for child in machine.children) == ["homes", "taxi"]
    machine.children[1].ended = Ended("ok", "live v1")
    assert machine.round() == ["run"]
    assert machine.children[-1].schedule.name == "taxi-weekly"


def test_another_persons_run_is_told_and_is_no_failure(machine):
    machine.set(stop_after_failures=1)
    machine.at("2026-11-21T03:00:00+00:00")
    machine.ends("skipped", "skipped: another run of the use case was under way")
    entry = machine.entry()
    assert (entry.failures, entry.paused) == (0, False)
    assert entry.last.startswith("skipped")


def fail(machine, day):
    machine.at(f"2026-11-{day}T03:00:00+00:00")
    machine.ends("failed", "failed: no space left")


def test_repeated_failure_pauses_with_the_reason_and_says_so(machine):
    machine.set(stop_after_failures=3)
    for day in (21, 22, 23):
        assert not machine.entry().paused
        fail(machine, day)
    entry = machine.entry()
    assert (entry.paused, entry.failures) == (True, 3)
    assert entry.reason == "3 failed runs in a row, the last: failed: no space left (sluiceway schedule resume taxi)"
    assert machine.said[-1] == f"taxi: paused: {entry.reason}"
    assert machine.at("2026-11-24T03:00:00+00:00") == []
    machine.scheduler.resume("taxi")
    assert machine.entry().failures == 0
    assert machine.at("2026-11-25T03:00:00+00:00") == ["run"]


@pytest.mark.parametrize(("kind", "failures"), [("ok", 0), ("refused", 0), ("skipped", 2)])
def test_only_failures_count_and_a_result_ends_the_row(machine, kind, failures):
    machine.set(stop_after_failures=3)
    for day in (21, 22):
        fail(machine, day)
    machine.at("2026-11-23T03:00:00+00:00")
    machine.ends(kind, kind)
    assert (machine.entry().failures, machine.entry().paused) == (failures, False)


def test_a_run_that_cannot_be_started_is_a_failure(machine):
    machine.set()
    machine.cannot_start = OSError(12, "Cannot allocate memory")
    machine.at("2026-11-21T03:00:00+00:00")
    assert machine.entry().last == "failed: cannot be started: Cannot allocate memory"
    assert machine.entry().failures == 1


def test_without_news_no_run_is_started(machine):
    machine.set(trigger="data")
    assert machine.at("2026-11-21T03:00:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:a") == ["run"]
    machine.ends("ok", "live v1")
    assert machine.at("2026-11-22T03:00:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:a") == []
    entry = machine.entry()
    assert (entry.look, entry.last, entry.running) == ("nothing new", "live v1", None)
    assert "taxi: nothing new" in machine.said
    assert machine.at("2026-11-23T03:00:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:b") == ["run"]


@pytest.mark.parametrize(("kind", "again"), [("refused", []), ("failed", ["run"]), ("skipped", ["run"])])
def test_data_that_was_judged_is_not_tried_again_and_data_that_was_not_is(machine, kind, again):
    machine.set(trigger="data")
    machine.at("2026-11-21T03:00:00+00:00")
    machine.ends("ok", "looked", "sha256:a")
    machine.ends(kind, kind)
    machine.at("2026-11-22T03:00:00+00:00")
    assert machine.ends("ok", "looked", "sha256:a") == again


def test_a_look_that_fails_counts_and_starts_no_run(machine):
    machine.set(trigger="data", stop_after_failures=1)
    machine.at("2026-11-21T03:00:00+00:00")
    assert machine.ends("failed", "failed: data 'x': there is no such file or folder") == []
    assert machine.entry().paused


def test_both_runs_at_its_time_and_looks_in_between(machine):
    machine.set("0 13 * * *", trigger="both", poll_minutes=30)
    assert machine.at("2026-11-20T12:30:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:a") == ["run"]
    machine.ends("ok", "live v1")
    assert machine.at("2026-11-20T13:00:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:a") == ["run"]
    machine.ends("ok", "unchanged v1")
    assert machine.at("2026-11-20T13:30:00+00:00") == ["check"]
    assert machine.ends("ok", "looked", "sha256:a") == []


def test_a_run_asked_for_starts_at_once_also_when_paused_and_moves_no_time(machine):
    machine.set()
    machine.scheduler.pause("taxi")
    machine.scheduler.run_now("taxi")
    assert machine.round() == ["run"]
    assert machine.round() == []
    machine.ends()
    machine.scheduler.resume("taxi")
    assert machine.at("2026-11-21T03:00:00+00:00") == ["run"]


def test_a_run_asked_for_does_not_swallow_a_time_that_jitter_made_late(machine):
    machine.luck = 1.0
    machine.set("0 13 * * *", jitter_seconds=1200)
    machine.clock.to("2026-11-20T13:05:00+00:00")
    machine.scheduler.run_now("taxi")
    assert (machine.round(), machine.ends()) == (["run"], [])
    assert machine.at("2026-11-20T13:20:00+00:00") == ["run"]


def test_changes_of_another_process_are_seen_in_the_next_round(machine):
    machine.set("0 3 * * *")
    machine.round()
    machine.set("30 12 * * *")
    assert machine.at("2026-11-20T12:30:00+00:00") == ["run"]
    machine.ends()
    machine.scheduler.delete("taxi")
    assert machine.at("2026-11-21T12:30:00+00:00") == []


def test_what_was_judged_before_a_change_does_not_stand_for_what_is_there_after_it(machine):
    machine.set(trigger="data")
    machine.at("2026-11-21T03:00:00+00:00")
    machine.ends("ok", "looked", "sha256:a")
    machine.set(trigger="data", overrides=("data.source=elsewhere",))
    machine.ends("ok", "live v1")
    assert machine.entry().fingerprint is None


def test_a_schedule_deleted_during_its_run_stays_deleted(machine):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    machine.scheduler.delete("taxi")
    machine.ends()
    assert machine.book.names() == []


def test_a_stopped_scheduler_ends_its_run_and_the_next_one_makes_it_up_once(machine):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    machine.loop.end()
    assert machine.children[-1].asked_to_end
    entry = machine.entry()
    assert (entry.running, entry.failures, entry.last) == (None, 0, "interrupted: the scheduler was stopped")
    machine.boot()
    assert machine.at("2026-11-21T08:00:00+00:00") == ["run"]
    machine.ends()
    assert machine.at("2026-11-21T08:00:02+00:00") == []


@pytest.mark.parametrize("kind", ["ok", "refused"])
def test_a_run_that_came_to_its_end_while_it_was_stopped_is_not_made_up(machine, kind):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    machine.children[-1].ended = Ended(kind, kind)
    machine.loop.end()
    machine.boot()
    assert machine.at("2026-11-21T03:00:05+00:00") == []
    assert machine.entry().last == kind


def test_a_run_asked_for_on_a_paused_schedule_stays_away_after_a_stop(machine):
    machine.set()
    machine.scheduler.pause("taxi")
    machine.scheduler.run_now("taxi")
    machine.round()
    machine.loop.end()
    machine.boot()
    assert machine.round() == []


def test_a_run_asked_for_is_made_up_after_a_stop(machine):
    machine.set()
    machine.scheduler.run_now("taxi")
    machine.round()
    machine.loop.end()
    machine.boot()
    assert machine.round() == ["run"]


def test_a_killed_schedulers_run_is_told_counted_and_made_up_once(machine):
    machine.set()
    machine.at("2026-11-21T03:00:00+00:00")
    machine.boot()
    machine.at("2026-11-21T09:00:00+00:00")
    entry = machine.entry()
    assert (entry.running, entry.failures, entry.last) == (None, 1, "cut short: the scheduler died")
    assert "taxi: the scheduler died during the run of 2026-11-21 03:00:00+00:00" in machine.said
    assert machine.round() == ["run"]
    machine.ends()
    assert machine.round() == []


def test_a_run_that_takes_the_machine_down_is_not_tried_for_ever(machine):
    machine.set(stop_after_failures=2)
    machine.at("2026-11-21T03:00:00+00:00")
    for _ in range(4):
        machine.boot()
        machine.clock.on(minutes=5)
        machine.round()
        machine.round()
    assert machine.entry().paused
    assert len(machine.children) == 2


def test_a_damaged_schedule_is_told_once_and_the_others_go_on(machine):
    machine.set(name="homes", use_case="homes")
    machine.set()
    (machine.book.folder / "taxi.json").write_text("{", encoding="utf-8")
    for _ in range(3):
        machine.round()
    (told,) = [line for line in machine.said if "taxi.json" in line]
    assert "not a schedule" in told
    assert machine.at("2026-11-21T03:00:00+00:00") == ["run"]


def test_a_run_is_not_started_while_nothing_can_be_written_and_starts_once_it_can(machine, no_space):
    machine.set()
    with no_space():
        for _ in range(3):
            assert machine.at("2026-11-21T03:00:00+00:00") == []
    (told,) = [line for line in machine.said if "not started" in line]
    assert "No space left on device" in told
    assert machine.at("2026-11-21T03:00:09+00:00") == ["run"]


def test_a_verdict_that_cannot_be_written_is_written_later_and_nothing_starts_before(machine, no_space):
    machine.set("* * * * *", jitter_seconds=0)
    machine.at("2026-11-20T12:01:00+00:00")
    with no_space():
        machine.ends("ok", "live v4")
        assert machine.at("2026-11-20T12:05:00+00:00") == []
    machine.at("2026-11-20T12:06:00+00:00")
    assert (machine.entry().last, machine.entry().running) == ("live v4", None)
    assert machine.said.count("taxi: live v4") == 1
    assert machine.at("2026-11-20T12:07:00+00:00") == ["run"]
