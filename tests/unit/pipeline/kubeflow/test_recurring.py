"""How recurring runs become the one wanted: a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from pipeline.kubeflow.documents import RecurringRun
from pipeline.kubeflow.recurring import Wanted, edit, ours
from pipeline.schedule.base import Schedule

NIGHTLY = Schedule("taxi", "taxi", "0 3 * * *", "kubeflow", overrides=("budget=smoke",))
OLD = Wanted(NIGHTLY, {"trigger": "3"})
NEW = Wanted(replace(NIGHTLY, cron="0 4 * * *"), {"trigger": "4"})


def kept(wanted, number, enabled=True, **fields):
    status = "ENABLED" if enabled else "DISABLED"
    made = datetime(2026, 1, number, tzinfo=timezone.utc)
    return RecurringRun(recurring_run_id=f"id{number}", description=wanted.description, status=status, created_at=made, **fields)


@pytest.mark.parametrize(
    ("there", "change", "make", "enabled", "surplus"),
    [
        ([], "created", True, True, []),
        ([kept(NEW, 1)], "unchanged", False, True, []),
        ([kept(NEW, 1, enabled=False)], "unchanged", False, False, []),
        ([kept(OLD, 1)], "updated", True, True, ["id1"]),
        ([kept(OLD, 1, enabled=False)], "updated", True, False, ["id1"]),
        # Killed after the new one was made: the next set retires the old.
        ([kept(OLD, 1), kept(NEW, 2)], "updated", False, True, ["id1"]),
        # Killed after the old one was disabled, or a run of it was under way.
        ([kept(OLD, 1, enabled=False), kept(NEW, 2)], "unchanged", False, True, ["id1"]),
        # The same twice, made at once by two people.
        ([kept(NEW, 1), kept(NEW, 2)], "updated", False, True, ["id1"]),
        # The newer one was disabled by hand: what starts runs is what counts.
        ([kept(NEW, 1), kept(OLD, 2, enabled=False)], "unchanged", False, True, ["id2"]),
        # There and back again while the first is still kept for its run.
        ([kept(NEW, 1, enabled=False), kept(OLD, 2)], "updated", True, True, ["id2", "id1"]),
        ([kept(NEW, 1, enabled=False), kept(OLD, 2, enabled=False)], "updated", True, False, ["id2", "id1"]),
    ],
)
def test_an_edit(there, change, make, enabled, surplus):
    done = edit(ours(there).get("taxi", []), NEW.digest)
    assert (done.change, done.make, done.enabled) == (change, make, enabled)
    assert [each.run.recurring_run_id for each in done.surplus] == surplus


def test_a_recurring_run_says_itself_what_schedule_it_is():
    assert ours([kept(OLD, 1)])["taxi"][0].schedule == NIGHTLY


@pytest.mark.parametrize(
    "description", ["", "nightly", "sluiceway schedule {", 'sluiceway schedule {"name": "taxi"}', "sluiceway schedule []"]
)
def test_what_others_made_is_not_ours(description):
    assert ours([RecurringRun(recurring_run_id="x", display_name="taxi", description=description)]) == {}


def test_whatever_is_wanted_otherwise_has_another_digest():
    fields = {"a": 1, "b": {"c": [2]}}
    assert Wanted(NIGHTLY, fields).digest == Wanted(NIGHTLY, {"b": {"c": [2]}, "a": 1}).digest
    others = [
        Wanted(NIGHTLY, {**fields, "a": 2}),
        Wanted(replace(NIGHTLY, overrides=()), fields),
        Wanted(replace(NIGHTLY, timezone="Asia/Tokyo"), fields),
    ]
    assert len({each.digest for each in [Wanted(NIGHTLY, fields), *others]}) == 4
