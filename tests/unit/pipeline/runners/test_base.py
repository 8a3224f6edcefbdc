"""What a runner tells, and the document a run ends with."""

from __future__ import annotations

import json

import pytest

from configs.errors import ExitCode
from pipeline.runners.base import NodeEvent, RunResult
from serving.verdict import Reason

RESULT = RunResult(
    use_case="taxi",
    verdict="refused",
    version=3,
    champion=3,
    run_id="run-1",
    log="log.txt",
    seconds=12.3456,
    exit_code=ExitCode.REFUSED,
    gate="evaluator",
    reasons=(Reason("threshold", "auc 0.5 < 0.8", 0.5, 0.8),),
    nodes=(NodeEvent("ExampleGen", "cached", 0.123, "5 rows"), NodeEvent("Evaluator", "refused", 4.567), NodeEvent("Pusher", "skipped")),
    metrics={"auc": 0.5},
)


@pytest.mark.parametrize(
    ("state", "ended"),
    [("waiting", False), ("running", False), ("done", True), ("cached", True), ("refused", True), ("failed", True), ("skipped", True)],
)
def test_a_node_has_ended_when_nothing_more_comes(state, ended):
    assert NodeEvent("Trainer", state).ended is ended


def test_the_document_of_a_run_keeps_its_keys():
    assert json.loads(json.dumps(RESULT.as_json())) == {
        "use_case": "taxi",
        "verdict": "refused",
        "version": 3,
        "champion": 3,
        "gate": "evaluator",
        "reasons": [{"code": "threshold", "message": "auc 0.5 < 0.8", "measured": 0.5, "limit": 0.8}],
        "metrics": {"auc": 0.5},
        "nodes": [
            {"name": "ExampleGen", "state": "cached", "seconds": 0.12, "cached": True, "figure": "5 rows"},
            {"name": "Evaluator", "state": "refused", "seconds": 4.57, "cached": False, "figure": ""},
            {"name": "Pusher", "state": "skipped", "seconds": 0.0, "cached": False, "figure": ""},
        ],
        "seconds": 12.35,
        "exit_code": 3,
        "run_id": "run-1",
        "log": "log.txt",
    }
