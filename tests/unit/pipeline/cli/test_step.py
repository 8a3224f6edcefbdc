"""``step``: what it tells, what it writes, and the code it ends with. The node's work is not its business here."""

from __future__ import annotations

import json
import os
import sys

import pytest

from components.report import NodeReport
from pipeline import step as steps
from pipeline.cli.main import main
from pipeline.errors import NodeFailed
from serving.verdict import Reason, Verdict
from tests.fakes.trips import write_trips

REFUSED = Verdict("evaluator", (Reason("threshold", "auc 0.6100 < 0.85", 0.61, 0.85),))


def leave(code):
    """In the place of os._exit, which would end the tests too where another one has imported TensorFlow."""
    raise SystemExit(code)


@pytest.fixture
def ended(monkeypatch, capfd, tmp_path):
    """Runs ``step``: (exit code, stdout, stderr)."""
    monkeypatch.setattr(sys, "argv", ["sluiceway"])
    monkeypatch.setattr(os, "_exit", leave)
    data = write_trips(tmp_path / "trips.csv")

    def run(node, *arguments):
        places = [f"--set=state={tmp_path / 'state'}", f"--store={tmp_path / 'store'}"]
        given = [] if any(text.startswith("--data") for text in arguments) else [f"--data={data}"]
        with pytest.raises(SystemExit) as caught:
            main(["step", node, "taxi", *places, *given, *arguments])
        return caught.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def node_that(monkeypatch):
    """Puts a report, or an error, in the place of the node's work; keeps what it was asked."""
    asked = []

    def comes_to(outcome):
        def run_step(request):
            asked.append(request)
            os.write(2, b"noise of a library\n")
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(steps, "run_step", run_step)
        return asked

    return comes_to


def test_a_node_is_run_with_what_was_given(ended, node_that):
    asked = node_that(NodeReport(False, None, "3 rows", {"train": 3}))
    code, out, err = ended(
        "StatisticsGen", "--input", "examples=/a", "--output=statistics=s3://b/c", "--plan", "code=abc", "--run-id", "r7"
    )
    assert (code, out, err) == (0, "StatisticsGen: done (3 rows)\n", "")
    (request,) = asked
    assert (request.node, request.inputs, request.outputs) == ("StatisticsGen", {"examples": "/a"}, {"statistics": "s3://b/c"})
    assert (request.code, request.run_id) == ("abc", "r7")


def test_a_refusal_ends_with_three_and_leaves_its_verdict_and_its_page(ended, node_that, tmp_path):
    node_that(NodeReport(False, REFUSED, "auc 0.61", {"auc": 0.61}))
    verdict, page = tmp_path / "deep" / "verdict.json", tmp_path / "report.md"
    code, out, _ = ended("Evaluator", "--verdict-file", str(verdict), "--report-file", str(page))
    assert code == 3
    assert out.startswith("Evaluator: REFUSED: auc 0.6100 < 0.85")
    assert Verdict.from_json(json.loads(verdict.read_text(encoding="utf-8"))) == REFUSED
    assert page.read_text(encoding="utf-8").startswith("# Evaluator: REFUSED\n")


def test_where_an_orchestrator_branches_on_the_verdict_a_refusal_ends_well(ended, node_that, tmp_path):
    node_that(NodeReport(False, REFUSED))
    executor_input = {"outputs": {"parameters": {"Output": {"outputFile": str(tmp_path / "o")}}, "outputFile": str(tmp_path / "e.json")}}
    code, _, _ = ended("Evaluator", "--refusal-ends-well", "--executor-input", json.dumps(executor_input))
    assert code == 0
    assert (tmp_path / "o").read_text(encoding="utf-8") == "refused"


def test_json_is_one_document(ended, node_that):
    node_that(NodeReport(False, REFUSED, "x", {"auc": 0.61}))
    code, out, _ = ended("Evaluator", "--json")
    assert code == 3
    document = json.loads(out)
    assert (document["node"], document["verdict"]["accepted"], document["figures"]) == ("Evaluator", False, {"auc": 0.61})


def test_a_node_that_fails_is_one_line(ended, node_that):
    node_that(NodeFailed("Trainer: no memory", node="Trainer"))
    assert ended("Trainer") == (1, "", "sluiceway: Trainer: no memory\n")


def test_in_an_orchestrators_container_the_log_that_nobody_else_keeps_is_shown_first(ended, node_that):
    node_that(NodeFailed("Trainer: no memory", node="Trainer"))
    code, out, err = ended("Trainer", "--executor-input", "{}")
    assert (code, out) == (1, "")
    assert "noise of a library" in err
    assert err.splitlines()[-1] == "sluiceway: Trainer: no memory"


@pytest.mark.parametrize(
    ("arguments", "saying"),
    [
        (("Trainer", "--input", "examples"), "'examples' is not KEY=LOCATION"),
        (("Trainer", "--input", "a=1", "--input", "a=2"), "'a' is given twice"),
        (("Trainer", "--plan", "moon=1"), "--plan moon: no such value; allowed: code, data_digest, fingerprint, judging"),
        (("Moon",), "no node 'Moon' in this pipeline; there are: ExampleGen"),
        (("Tuner",), "no node 'Tuner' in this pipeline"),
        (("Schema", "--output", "schema=/x"), "unknown output 'schema'; this node's outputs: result"),
        (("Schema",), "output 'result' is missing"),
        (("refused",), "'refused' needs the gate's verdict: --verdict-file FILE"),
        (("refused", "--verdict-file", "/nowhere.json"), "/nowhere.json: cannot be read as a verdict"),
        (("prove",), "nothing of taxi is live in"),
        (("plan", "--output", "plan=/x"), "the step 'plan' takes no --input and no --output"),
        (("Trainer", "--plan", "code"), "'code' is not KEY=VALUE"),
        (("Schema", "--output", "result=/proc/x"), "/proc/x: cannot be written"),
        (("plan", "--data", "/nowhere.csv"), "data '/nowhere.csv': there is no such file"),
        (("plan", "--report-file", "/dev/null/x"), "/dev/null/x: cannot be written"),
    ],
)
def test_wrong_input_is_one_line_and_code_two(ended, arguments, saying):
    code, out, err = ended(*arguments)
    assert (code, out) == (2, "")
    assert saying in err
    assert len(err.splitlines()) == 1


def test_the_schema_step_needs_no_tfx_and_writes_the_schema_alone(ended, tmp_path):
    code, out, _ = ended("Schema", f"--output=result={tmp_path / 'schema'}")
    assert (code, out) == (0, "Schema: done\n")
    assert [path.name for path in (tmp_path / "schema").iterdir()] == ["schema.pbtxt"]
    assert list((tmp_path / "state").iterdir()) == []


def test_the_plan_gives_its_values_and_shipped_stands_for_the_rows_of_the_use_case(ended):
    code, out, _ = ended("plan", "--json")
    assert code == 0
    assert json.loads(out)["values"]["decision"] == "go"
    own = json.loads(out)["values"]["data_digest"]
    shipped = json.loads(ended("plan", "--json", "--data=shipped")[1])["values"]["data_digest"]
    assert shipped != own


def test_a_verdict_that_accepts_is_no_refusal_to_keep(ended, tmp_path):
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(Verdict("evaluator").as_json()), encoding="utf-8")
    code, _, err = ended("refused", "--verdict-file", str(path))
    assert (code, "there is no refusal to keep" in err) == (2, True)


def test_a_refusal_is_kept_and_shown(ended, tmp_path):
    path, page = tmp_path / "verdict.json", tmp_path / "page.md"
    path.write_text(json.dumps(REFUSED.as_json()), encoding="utf-8")
    code, out, _ = ended("refused", "--verdict-file", str(path), "--report-file", str(page), "--run-id", "r7")
    assert (code, out) == (3, "REFUSED by evaluator: auc 0.6100 < 0.85\n")
    assert "Live is: nothing." in page.read_text(encoding="utf-8")
    assert '"r7"' in (tmp_path / "store" / "taxi" / "history.jsonl").read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["accepted"] is False
