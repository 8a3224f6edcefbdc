"""When an expression comes round, on the days the clocks change too."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from configs.errors import UsageError
from pipeline.schedule.cron import check_cron, shown, time_zone, times

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)  # a Friday


def first(cron, zone, after, count=3):
    found = list(islice(times(cron, zone, after), count))
    # Two times of one zone are compared by what the clock shows: wrong where it is set back.
    assert {moment.tzinfo for moment in found} == {timezone.utc}
    return [moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for moment in found]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * *", "2026-11-21T03:00"),
        ("0 12 * * *", "2026-11-21T12:00"),  # strictly after
        ("0 3 * * 0", "2026-11-22T03:00"),  # 0 is Sunday, as crontab has it
        ("0 3 * * 7", "2026-11-22T03:00"),
        ("0 3 * * mon", "2026-11-23T03:00"),
        ("0 3 30 * mon", "2026-11-23T03:00"),  # day of month or weekday
        ("*/7 * * * *", "2026-11-20T12:07"),
        ("0 0 29 feb *", "2028-02-29T00:00"),
    ],
)
def test_an_expression_means_what_it_means_in_a_crontab(cron, expected):
    assert first(cron, "UTC", NOON, 1) == [expected + "+00:00"]


@pytest.mark.parametrize(
    ("zone", "cron", "after", "expected"),
    [
        # 02:30 is jumped over: it comes once, right after the jump.
        ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00+01:00", ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("America/New_York", "30 2 * * *", "2026-03-07T12:00-05:00", ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]),
        # 02:30 (01:30 in New York) is shown twice: it comes once.
        ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00+02:00", ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00-04:00", ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
        # Also when the look at the clock falls between the two.
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:40+02:00", ["2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00"]),
        # Every hour: the hour that comes twice has two runs, the one that is missing has none.
        ("Europe/Berlin", "30 * * * *", "2026-10-25T01:45+02:00", ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"]),
        ("Europe/Berlin", "30 * * * *", "2026-03-29T00:45+01:00", ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"]),
    ],
)
def test_the_days_the_clocks_change(zone, cron, after, expected):
    assert first(cron, zone, datetime.fromisoformat(after), 2) == expected


@pytest.mark.parametrize("cron", ["* * * * *", "0 3 * * 1-5", "*/15 8-18 * * MON,wed", "5,35 0 1-7 1,6 *"])
def test_a_portable_expression_passes(cron):
    check_cron(cron)


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("", "0 fields"),
        ("0 3 * *", "4 fields"),
        ("0 0 3 * * *", "6 fields"),
        ("@daily", "1 field;"),
        ("61 * * * *", "Bad minute"),
        ("0 3 L * *", "'L' is not understood by every scheduler"),
        ("0 3 * * 5#2", "'5#2' is not understood"),
        ("0 3 ? * *", "'?' is not understood"),
        ("0 0 32 * *", "Bad day-of-month"),
        ("0 0 32 2 *", "Bad day-of-month"),
        ("0 0 30 2 *", "that date never comes"),
        ("0 3 31 2 *", "that date never comes"),
        ("0 3 31 4,jun *", "that date never comes"),
    ],
)
def test_what_is_no_expression_is_told_in_one_line(cron, told):
    with pytest.raises(UsageError) as caught:
        check_cron(cron)
    assert told in str(caught.value)
    assert ("expected five fields" in str(caught.value)) == (len(cron.split()) != 5)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_told(name):
    with pytest.raises(UsageError, match="time zone"):
        time_zone(name)


def test_a_moment_is_shown_in_the_schedules_zone_and_as_it_is_where_that_is_none():
    assert shown(NOON, "Europe/Berlin") == "2026-11-20 13:00:00+01:00"
    assert shown(NOON, "Mars") == "2026-11-20 12:00:00+00:00"
