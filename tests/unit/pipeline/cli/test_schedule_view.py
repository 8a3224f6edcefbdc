"""How a schedule is shown."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from pipeline.cli.schedule_view import as_document, rhythm, show
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


def test_an_active_schedule_shows_its_times_in_its_own_zone(capsys):
    show(Status(TAXI, next_run=AT, last_run=AT, last="live v3", details={"CronJob": "ml/taxi"}))
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "taxi                 active  taxi runs at '0 3 * * *' (Europe/Berlin)",
        "next  2026-07-01 03:00:00+02:00",
        "last  2026-07-01 03:00:00+02:00  live v3",
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
