"""Schedules on Kubeflow: in place, idempotent, and whole after a kill at any request."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from configs.environment import EnvironmentConfig, Kubeflow
from configs.errors import SluicewayError, UsageError
from pipeline.kubeflow.errors import ServerUnavailable
from pipeline.kubeflow.package import read
from pipeline.schedule import load
from pipeline.schedule.base import Place, Schedule
from pipeline.schedule.kubeflow import KubeflowScheduler
from tests.fakes.kfp_api import FakeKfp, package_text

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=timezone.utc)
NIGHTLY = Schedule("taxi", "taxi", "0 3 * * *", "kubeflow")
EARLIER = replace(NIGHTLY, cron="0 2 * * *")
PARAMETERS = {"budget": "smoke"}


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture
def make(server):
    """A scheduler on the server, with a pipeline of that content."""

    def scheduler(content="one", **kubeflow):
        place = Place("kubeflow", EnvironmentConfig(kubeflow=Kubeflow(**{"host": server.url, **kubeflow})))
        return KubeflowScheduler(
            place, now=lambda: NOW, compiled=lambda schedule: (read(package_text(schedule.use_case, content), source="x"), PARAMETERS)
        )

    return scheduler


def test_the_family_finds_it():
    assert load("kubeflow") is KubeflowScheduler


def test_making_one_asks_nobody(server, make):
    make(host="http://127.0.0.1:1")
    assert server.requests == []


def test_a_schedule_is_a_recurring_run_without_overlap_or_backlog(server, make):
    assert make(service_account="runner").set(NIGHTLY) == "created"
    (made,) = server.recurring.values()
    assert made["display_name"] == "taxi"
    assert made["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
    assert (made["max_concurrency"], made["no_catchup"], made["status"]) == ("1", True, "ENABLED")
    assert made["runtime_config"] == {"parameters": PARAMETERS}
    assert made["service_account"] == "runner"
    assert made["pipeline_version_reference"]["pipeline_version_id"] in server.versions


def test_the_same_again_changes_nothing(server, make):
    make().set(NIGHTLY)
    before, asked = dict(server.recurring), len(server.requests)
    assert make().set(NIGHTLY) == "unchanged"
    assert server.recurring == before
    assert {method for method, _ in server.requests[asked:]} == {"GET"}


@pytest.mark.parametrize("changed", ["cron", "content", "overrides", "experiment", "timezone"])
def test_a_change_is_made_in_place(server, make, changed):
    make().set(NIGHTLY)
    if changed == "content":
        done = make("two").set(NIGHTLY)
    elif changed == "experiment":
        done = make(experiment="other").set(NIGHTLY)
    else:
        value = {"cron": "0 2 * * *", "overrides": ("budget=full",), "timezone": "Asia/Tokyo"}[changed]
        done = make().set(replace(NIGHTLY, **{changed: value}))
    assert done == "updated"
    assert len(server.recurring) == len(server.active()) == 1


def test_other_recurring_runs_of_that_name_are_left_alone(server, make):
    make().set(NIGHTLY)
    (made,) = server.recurring.values()
    server.recurring["x"] = {**made, "recurring_run_id": "x", "description": "by hand"}
    make().set(EARLIER)
    make().delete("taxi")
    assert list(server.recurring) == ["x"]


def test_a_paused_schedule_stays_paused_when_it_is_changed(server, make):
    make().set(NIGHTLY)
    for _ in range(2):
        make().pause("taxi")
    assert make().set(EARLIER) == "updated"
    (status,) = make().list()
    assert (status.paused, status.reason, status.next_run) == (True, "disabled on Kubeflow", None)
    assert server.active() == []
    for _ in range(2):
        make().resume("taxi")
    assert len(server.active()) == len(server.recurring) == 1
    assert not make().list()[0].paused


@pytest.mark.parametrize("after", [False, True], ids=["lost on the way", "carried out"])
@pytest.mark.parametrize("number", range(12))
def test_a_change_killed_at_any_request_leaves_one_that_runs_and_is_finished_by_the_next(server, make, number, after):
    make().set(NIGHTLY)
    begun = len(server.requests)
    server.fail(".", 503, after=after, skip=number)
    try:
        make("two").set(EARLIER)
    except ServerUnavailable:
        assert len(server.active()) in {1, 2}
    else:
        assert len(server.requests) - begun <= number
    server.failures.clear()
    (status,) = make().list()
    assert not status.paused
    assert ("unfinished" in status.details) == (len(server.active()) == 2)
    assert make("two").set(EARLIER) in {"updated", "unchanged"}
    assert len(server.active()) == len(server.recurring) == 1
    assert server.active()[0]["trigger"]["cron_schedule"]["cron"] == "0 0 2 * * *"
    assert make("two").set(EARLIER) == "unchanged"


def test_a_run_under_way_outlives_a_change(server, make):
    """Kubeflow ends the runs of a recurring run that is deleted."""
    make().set(NIGHTLY)
    (old,) = server.recurring
    run = _started(server, old, "RUNNING")
    assert make().set(EARLIER) == "updated"
    assert server.recurring[old]["status"] == "DISABLED"
    assert len(server.active()) == 1
    assert "1 older, disabled" in make().list()[0].details["retired"]
    assert make().set(EARLIER) == "unchanged"
    assert old in server.recurring
    server.runs[run]["state"] = "SUCCEEDED"
    assert make().set(EARLIER) == "unchanged"
    assert old not in server.recurring


def test_a_run_under_way_outlives_a_delete(server, make):
    make().set(NIGHTLY)
    (old,) = server.recurring
    run = _started(server, old, "RUNNING")
    with pytest.raises(UsageError, match="is paused, but not deleted yet: its run nightly is under way"):
        make().delete("taxi")
    assert server.active() == []
    server.runs[run]["state"] = "SUCCEEDED"
    make().delete("taxi")
    assert server.recurring == {}


def test_the_list_tells_what_was_and_what_comes(server, make):
    make().set(replace(NIGHTLY, timezone="Asia/Tokyo", trigger="both"))
    (old,) = server.recurring
    for number, state in enumerate(["SUCCEEDED", "FAILED", "FAILED", "RUNNING"]):
        _started(server, old, state, hour=number)
    _started(server, "of another", "SUCCEEDED", hour=9)
    (status,) = make().list()
    assert status.schedule == replace(NIGHTLY, timezone="Asia/Tokyo", trigger="both")
    assert status.next_run == datetime(2026, 11, 21, 18, 0, tzinfo=timezone.utc)
    assert (status.last, status.failures, status.last_run.hour) == ("running", 2, 3)
    assert status.details["cron on Kubeflow"] == "0 0 18 * * *"
    assert status.details["not on Kubeflow"] == "starts without jitter; does not pause itself after failures"
    assert status.details["recurring run"] == f"{server.url}/#/recurringrun/details/{old}"
    assert "only at the times of the cron expression" in status.details["new data"]


def test_all_schedules_are_listed_by_name(make):
    for name in ("c", "a", "b"):
        make().set(replace(NIGHTLY, name=name))
    assert [status.schedule.name for status in make().list()] == ["a", "b", "c"]


def test_a_run_asked_for_now_is_the_schedules_own(server, make):
    make().set(NIGHTLY)
    url = make().run_now("taxi")
    (run,) = server.runs.values()
    assert url == f"{server.url}/#/runs/details/{run['run_id']}"
    assert run["runtime_config"] == {"parameters": PARAMETERS}
    assert run["pipeline_version_reference"] == next(iter(server.recurring.values()))["pipeline_version_reference"]
    assert make().list()[0].last == "pending"


@pytest.mark.parametrize("verb", ["pause", "resume", "run_now", "delete"])
def test_a_name_that_is_not_known_is_refused_with_those_that_are(make, verb):
    make().set(NIGHTLY)
    with pytest.raises(UsageError, match=r"no schedule 'houses' on http://.*; there are: taxi"):
        getattr(make(), verb)("houses")


def test_what_kubeflow_cannot_keep_is_refused_before_anything_is_asked(server, make):
    with pytest.raises(UsageError, match="cannot be kept by Kubeflow"):
        make().set(replace(NIGHTLY, timezone="Europe/Berlin"))
    with pytest.raises(UsageError, match="cron"):
        make().set(replace(NIGHTLY, cron="0 0 3 * * *"))
    assert server.requests == []
    assert make(timezone="Europe/Berlin").set(replace(NIGHTLY, timezone="Europe/Berlin")) == "created"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_server_that_says_no_is_one_line(server, make, status):
    server.fail(".", status)
    with pytest.raises(SluicewayError, match=f"{status}"):
        make().list()


def _started(server, recurring_run_id, state, hour=0):
    (experiment,) = server.experiments
    run_id = f"run-{len(server.runs)}"
    server.runs[run_id] = {
        "run_id": run_id, "display_name": "nightly", "state": state, "experiment_id": experiment,
        "recurring_run_id": recurring_run_id, "created_at": f"2026-11-20T{hour:02}:00:00Z",
    }  # fmt: skip
    return run_id
