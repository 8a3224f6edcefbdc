"""How a schedule is shown."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pipeline.cli.schedule_view import as_document, coming, rhythm, show
from pipeline.schedule.base import Schedule, Status

AT = datetime(2026, 7, 1, 1, tzinfo=timezone.utc)
TAXI = Schedule("taxi", "taxi", "0 3 * * *", timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("time", "runs at '0 3 * * *' (UTC)"),
        ("data", "looks for new data at '0 3 * * *' (UTC)"),
        ("both", "looks for new data every 15 minutes and runs at '0 3 * * *' (UTC)"),
    ],
)
def test_the_trigger_in_words(trigger, words):
    assert rhythm(Schedule("taxi", "taxi", "0 3 * * *", trigger=trigger)) == words


def test_one_minute_is_no_several():
    assert rhythm(Schedule("taxi", "taxi", "0 3 * * *", trigger="both", poll_minutes=1)).startswith("looks for new data every minute and")


def test_what_comes_next_is_told_as_the_look_that_it_is_and_as_overdue():
    assert coming(Status(TAXI, next_run=AT, next_is_look=True)) == "look 2026-07-01 03:00:00+02:00"
    assert coming(Status(TAXI, next_run=AT, overdue=True)) == "run 2026-07-01 03:00:00+02:00  overdue"


def test_a_damaged_schedule_shows_its_name_and_what_is_wrong_and_nothing_else(capsys):
    status = Status(Schedule("taxi", "?", "?"), damaged=True, reason="taxi.json: not a schedule")
    show(status)
    assert capsys.readouterr().out == "taxi                 damaged\n  why   taxi.json: not a schedule\n"
    document = as_document(status)
    assert document.keys() == as_document(Status(TAXI)).keys()
    assert {key: value for key, value in document.items() if value is not None} == {
        "name": "taxi",
        "reason": "taxi.json: not a schedule",
        "damaged": True,
    }


def test_an_active_schedule_shows_its_times_in_its_own_zone(capsys):
    show(Status(TAXI, next_run=AT, last_run=AT, last="live v3", log="/runs/7/log.txt", details={"CronJob": "ml/taxi"}))
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "taxi                 active  taxi runs at '0 3 * * *' (Europe/Berlin)",
        "next  run 2026-07-01 03:00:00+02:00",
        "last  2026-07-01 03:00:00+02:00  live v3",
        "log   /runs/7/log.txt",
        "CronJob: ml/taxi",
    ]


def test_a_paused_schedule_shows_why(capsys):
    show(Status(TAXI, paused=True, reason="3 failed runs in a row", last="failed: x", failures=3))
    out = capsys.readouterr().out
    assert "why   3 failed runs in a row" in out
    assert "last  failed: x   (3 failed in a row)" in out


def test_a_schedule_of_a_zone_that_is_none_is_shown_all_the_same(capsys):
    show(Status(Schedule("x", "?", "?", timezone="Mars"), next_run=AT))
    assert "2026-07-01 01:00:00+00:00" in capsys.readouterr().out


def test_the_document_is_plain_values():
    document = as_document(Status(TAXI, next_run=AT))
    assert (document["name"], document["next_run"], document["last_run"], document["paused"]) == ("taxi", AT.isoformat(), None, False)
