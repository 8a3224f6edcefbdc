"""What a run's document says: a table of documents, and what each one means."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.kubeflow.documents import Run
from pipeline.kubeflow.watch import changes, read
from pipeline.nodes import node_names
from tests.fakes.kfp_api import checked

NODES = node_names(tuner=False)
SECONDS = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:07Z"}


def task(name, state="SUCCEEDED", **fields):
    times = SECONDS if state in {"SUCCEEDED", "FAILED"} else {"start_time": "2026-01-01T00:00:00Z", "end_time": "0001-01-01T00:00:00Z"}
    return {"task_id": f"id-{name}", "display_name": name, "state": state, **times, **fields}


def run(state, *tasks, **fields):
    """A run as KFP's own client would hand it over."""
    document = {"run_id": "r1", "state": state, "run_details": {"task_details": list(tasks)}, **fields}
    return msgspec.convert(checked("V2beta1Run", document), Run, strict=False)


def states(reading):
    return {event.name: event.state for event in reading.nodes}


ALL = [task("plan"), *(task(name) for name in NODES)]


@pytest.mark.parametrize(
    ("run_state", "tasks", "verdict", "code", "gate"),
    [
        ("SUCCEEDED", ALL, "live", 0, None),
        ("SUCCEEDED", [task("plan"), task("if-something-is-new", "SKIPPED")], "unchanged", 0, None),
        ("SUCCEEDED", [task("plan"), *(task(name, "SKIPPED") for name in NODES)], "unchanged", 0, None),
        ("SUCCEEDED", [*ALL[:-2], task("refused-by-evaluator"), task("InfraValidator", "SKIPPED")], "refused", 3, "evaluator"),
        ("SUCCEEDED", [*ALL[:5], task("refused-by-data")], "refused", 3, "data"),
        ("SUCCEEDED", [*ALL[:5], task("refused-by-example-validator")], "refused", 3, "data"),
        ("SUCCEEDED", [*ALL[:-1], task("refused-by-infra_validator")], "refused", 3, "infra_validator"),
        ("SUCCEEDED", [*ALL[:-1], task("refused-by-infra-validator")], "refused", 3, "infra_validator"),
        ("SUCCEEDED", [*ALL, task("refused-by-evaluator", "SKIPPED"), task("refused-by-evaluator-driver")], "live", 0, None),
        ("FAILED", [task("plan"), task("ExampleGen"), task("Trainer", "FAILED")], "failed", 1, None),
        ("CANCELED", [task("plan"), task("ExampleGen", "CANCELED")], "failed", 1, None),
        ("SUCCEEDED", [task("say-hello")], "failed", 1, None),
        ("SUCCEEDED", [task("plan"), task("ExampleGen")], "failed", 1, None),
    ],
)
def test_what_a_run_came_to(run_state, tasks, verdict, code, gate):
    ending = read(run(run_state, *tasks), NODES).ending
    assert (ending.verdict, int(ending.exit_code), ending.gate) == (verdict, code, gate)
    assert bool(ending.reasons) == (verdict in {"refused", "failed"})


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELING", "PAUSED", "RUNTIME_STATE_UNSPECIFIED"])
def test_a_run_under_way_has_no_ending(state):
    assert read(run(state, *ALL), NODES).ending is None


def test_the_gate_that_refused_is_shown_as_refused():
    reading = read(run("SUCCEEDED", *ALL[:-2], task("refused-by-evaluator")), NODES)
    assert states(reading)["Evaluator"] == "refused"
    assert states(reading)["Trainer"] == "done"
    assert "refused-by-evaluator" in reading.ending.reasons[0].message


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("PENDING", "waiting"),
        ("RUNNING", "running"),
        ("SUCCEEDED", "done"),
        ("SKIPPED", "skipped"),
        ("FAILED", "failed"),
        ("CANCELED", "skipped"),
        ("A_NEW_STATE", "waiting"),
    ],
)
@pytest.mark.parametrize("name", ["Trainer", "trainer"])
def test_each_state_of_a_task_is_one_of_a_node(state, shown, name):
    assert states(read(run("RUNNING", task(name, state)), NODES))["Trainer"] == shown


def test_a_name_is_known_in_the_form_that_kfp_gives_it():
    reading = read(run("RUNNING", task("example-gen"), task("statistics-gen", "RUNNING")), NODES)
    assert (states(reading)["ExampleGen"], states(reading)["StatisticsGen"]) == ("done", "running")


def test_a_node_whose_driver_is_at_work_is_running():
    assert states(read(run("RUNNING", task("trainer-driver", "RUNNING")), NODES))["Trainer"] == "running"


def test_a_node_that_kfp_took_from_its_cache_is_cached():
    tasks = [
        task("Transform", child_tasks=[{"pod_name": "p-driver"}, {"pod_name": "p-executor"}]),
        task("Trainer", child_tasks=[{"pod_name": "q-executor"}]),
        {**task("executor", "SKIPPED"), "task_id": "p-executor"},
        {**task("executor"), "task_id": "q-executor"},
    ]
    reading = states(read(run("RUNNING", *tasks), NODES))
    assert (reading["Transform"], reading["Trainer"]) == ("cached", "done")


def test_a_node_that_ran_at_the_second_attempt_is_not_cached():
    tasks = [
        task("Trainer", child_tasks=[{"task_id": "a"}, {"task_id": "b"}]),
        {**task("executor", "SKIPPED"), "task_id": "a"},
        {**task("executor"), "task_id": "b"},
    ]
    assert states(read(run("RUNNING", *tasks), NODES))["Trainer"] == "done"


def test_all_nodes_from_the_cache_and_nothing_published_is_unchanged():
    tasks = [task("plan"), task("ExampleGen", child_tasks=[{"task_id": "e"}]), {**task("executor", "SKIPPED"), "task_id": "e"}]
    assert read(run("SUCCEEDED", *tasks), NODES).ending.verdict == "unchanged"


def test_seconds_are_those_of_the_task_and_none_while_it_runs():
    reading = read(run("RUNNING", task("ExampleGen"), task("Trainer", "RUNNING")), NODES)
    seconds = {event.name: event.seconds for event in reading.nodes}
    assert (seconds["ExampleGen"], seconds["Trainer"]) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("tasks", "fields", "line"),
    [
        ([task("Trainer", "FAILED", error={"message": "OOMKilled\nstack"})], {}, "Trainer failed: OOMKilled"),
        ([task("Trainer", "FAILED")], {}, "Trainer failed; its log in the run says why"),
        (
            [
                task("root", "FAILED", error={"message": "child failed"}, child_tasks=[{"task_id": "id-trainer"}]),
                task("trainer", "FAILED", child_tasks=[{"task_id": "x"}]),
                {**task("executor", "FAILED", error={"message": "exit code 1"}), "task_id": "x"},
            ],
            {},
            "Trainer failed: exit code 1",
        ),
        ([task("trainer-driver", "FAILED", error={"message": "no such volume"})], {}, "Trainer failed: no such volume"),
        ([], {"error": {"code": 3, "message": "workflow is too large"}}, "workflow is too large"),
        ([], {}, "the run failed before any task did"),
    ],
)
def test_a_failed_run_names_the_task_and_its_message(tasks, fields, line):
    assert read(run("FAILED", *tasks, **fields), NODES).ending.reasons[0].message == line


def test_a_node_started_again_is_shown_as_it_is_now():
    old = task("Trainer", "FAILED", create_time="2026-01-01T00:00:00Z")
    new = task("Trainer", "RUNNING", create_time="2026-01-01T01:00:00Z")
    assert states(read(run("RUNNING", new, old), NODES))["Trainer"] == "running"


def test_only_what_changed_is_told():
    first = read(run("RUNNING", task("ExampleGen", "RUNNING")), NODES)
    second = read(run("RUNNING", task("ExampleGen"), task("StatisticsGen"), task("Schema", "SKIPPED")), NODES)
    assert [(e.name, e.state) for e in changes(None, first)] == [("ExampleGen", "running")]
    assert changes(first, first) == []
    # StatisticsGen began and ended between two looks: a live tree wants both.
    assert [(e.name, e.state) for e in changes(first, second)] == [
        ("ExampleGen", "done"),
        ("StatisticsGen", "running"),
        ("StatisticsGen", "done"),
        ("Schema", "skipped"),
    ]
