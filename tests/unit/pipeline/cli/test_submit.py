"""``upload`` and ``submit``: what a person sees, what a program reads, and the code they end with."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from pipeline.cli.main import cli
from pipeline.kubeflow import follow
from pipeline.nodes import node_names
from serving.cli_frame import run_command
from tests.fakes.kfp_api import FakeKfp, package_text

SECRET = "s3cr3t-t0ken"
NODES = node_names(tuner=False)


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "taxi.yaml"
    path.write_text(package_text("taxi"))
    return path


@pytest.fixture
def call(capsys, server, package):
    """Runs a command against the server with a compiled pipeline: (exit code, stdout, stderr)."""

    def run(command, *arguments, host=None, file=package):
        given = ["--file", str(file)] if file else []
        with pytest.raises(SystemExit) as caught:
            run_command(cli, [command, "taxi", "--host", host or server.url, *given, *arguments])
        return caught.value.code, *capsys.readouterr()

    return run


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(follow.time, "sleep", lambda _: None)
    monkeypatch.setitem(follow.follow.__kwdefaults__, "sleep", lambda _: None)


def tasks(*names, state="SUCCEEDED", **more):
    return [{"display_name": name, "state": state, **more} for name in names]


def looks(server, *documents):
    server.play(*({"state": state, "run_details": {"task_details": details}} for state, details in documents))


def test_an_upload_says_what_it_did_and_what_comes_next(call, server, package):
    code, out, err = call("upload")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("created   taxi, version taxi-")
    assert out.splitlines()[1] == f"next sluiceway submit taxi --host {server.url} --file {package} --watch"
    assert call("upload")[1].startswith("unchanged taxi, version taxi-")


def test_an_upload_as_a_document(call, server):
    code, out, _ = call("upload", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["change"] == "created"
    assert document["version_id"] in server.versions
    assert document["host"] == server.url


def test_what_is_not_given_as_a_file_is_compiled(call, server, monkeypatch):
    asked = []
    compiler = ModuleType("pipeline.kubeflow.compile")
    compiler.compile_pipeline = lambda settings: asked.append(settings) or package_text("taxi", settings.environment.kubeflow.image)
    monkeypatch.setitem(sys.modules, "pipeline.kubeflow.compile", compiler)
    code, out, _ = call("submit", "--set", "kubeflow.image=mine:7", "--set", "thresholds.auc=0.91", "--json", file=None)
    assert code == 0
    assert json.loads(out)["parameters"]["thresholds"]["auc"] == 0.91
    # Neither the run's own values nor the address make another version of the pipeline.
    assert asked[0].environment.kubeflow.image == "mine:7"
    assert asked[0].environment.kubeflow.host != server.url
    assert asked[0].use_case.thresholds.auc != 0.91


def test_a_run_gets_only_what_was_given(call, server):
    code, out, _ = call("submit", "--data", "gs://bucket/trips", "--set", "budget=smoke")
    (run,) = server.runs.values()
    assert code == 0
    assert run["runtime_config"] == {"parameters": {"data": "gs://bucket/trips", "budget": "smoke"}}
    assert out.splitlines()[0].startswith("SUBMITTED taxi, version taxi-")
    assert out.splitlines()[1] == f"run  {server.url}/#/runs/details/{run['run_id']}"


def test_runs_are_gathered_in_the_experiment(call, server):
    call("submit")
    call("submit", "--set", "kubeflow.experiment=mine", "--set", "kubeflow.service_account=runner")
    assert [each["display_name"] for each in server.experiments.values()] == ["sluiceway", "mine"]
    assert [run.get("service_account") for run in server.runs.values()] == [None, "runner"]


@pytest.mark.parametrize(
    ("ending", "code", "line"),
    [
        (("SUCCEEDED", tasks("plan", *NODES)), 0, "LIVE taxi"),
        (("SUCCEEDED", tasks("plan")), 0, "UNCHANGED taxi: nothing is new"),
        (("SUCCEEDED", tasks("plan", *NODES[:8], "refused-by-evaluator")), 3, "REFUSED by evaluator: Evaluator refused the candidate"),
        (("FAILED", tasks("Trainer", state="FAILED", error={"message": "OOMKilled"})), 1, "FAILED: Trainer failed: OOMKilled"),
        (("CANCELED", []), 1, "FAILED: the run was canceled"),
    ],
)
def test_watching_ends_as_a_local_run_does(call, server, ending, code, line):
    looks(server, ("PENDING", []), ("RUNNING", tasks("ExampleGen", state="RUNNING")), ending)
    ended, out, err = call("submit", "--watch")
    assert (ended, err) == (code, "")
    assert line in out
    assert f"run  {server.url}/#/runs/details/" in out.splitlines()[0]


def test_watching_shows_the_nodes_as_they_end(call, server):
    looks(server, ("RUNNING", tasks("plan", "ExampleGen")), ("SUCCEEDED", tasks("plan", *NODES)))
    lines = call("submit", "--watch")[1].splitlines()
    assert [line.split()[:2] for line in lines[1:-2]] == [[name, "done"] for name in NODES]


def test_watching_as_a_document_has_the_keys_of_a_local_run(call, server):
    looks(server, ("SUCCEEDED", tasks("plan", *NODES[:8], "refused-by-evaluator")))
    code, out, err = call("submit", "--watch", "--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 3
    assert (document["verdict"], document["gate"]) == ("refused", "evaluator")
    assert document["url"] == document["log"]
    assert document["url"].endswith(document["run_id"])
    assert {node["name"]: node["state"] for node in document["nodes"]}["Evaluator"] == "refused"
    assert set(document) >= {"use_case", "version", "champion", "reasons", "metrics", "seconds"}
    assert "Evaluator" in err


def test_a_lost_connection_is_borne(call, server):
    looks(server, ("RUNNING", []), ("SUCCEEDED", tasks("plan", *NODES)))
    server.fail("GET .*/runs/", 503, times=2)
    code, out, _ = call("submit", "--watch")
    assert code == 0
    assert out.count("connection lost, asking again in") == 2


def test_control_c_stops_watching_and_not_the_run(call, server, monkeypatch):
    looks(server, ("RUNNING", []))

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setitem(follow.follow.__kwdefaults__, "sleep", interrupt)
    code, _, err = call("submit", "--watch")
    assert code == 130
    assert err.startswith(f"sluiceway: watching stopped; the run goes on: {server.url}/#/runs/details/")
    assert "terminate" not in str(server.requests)


def test_the_time_for_watching_is_bounded(call, server):
    looks(server, ("RUNNING", []))
    code, _, err = call("submit", "--watch", "--timeout", "0.01")
    assert code == 1
    assert err.startswith("sluiceway: still running after 0.01 min; the run goes on: http")


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (401, 2, "does not know who asks (401); put a bearer token"),
        (403, 2, "this is not allowed (403)"),
        (404, 2, "has no API v2beta1"),
        (500, 1, "could not answer (500)"),
    ],
)
def test_what_the_server_says_is_one_line_and_no_traceback(call, server, status, code, line):
    server.fail("healthz", status)
    ended, out, err = call("submit")
    assert (ended, out) == (code, "")
    assert line in err
    assert len(err.splitlines()) == 1


def test_nobody_at_the_address_is_one_line_and_a_document(call):
    code, out, err = call("upload", "--json", host="http://127.0.0.1:1")
    assert code == 1
    assert json.loads(out)["error"]["kind"] == "ServerUnavailable"
    assert err == "sluiceway: http://127.0.0.1:1 cannot be reached: [Errno 111] Connection refused\n"


def test_the_token_is_used_and_appears_nowhere(call, server, monkeypatch):
    server.token = SECRET
    monkeypatch.setenv("KFP_TOKEN", SECRET)
    named = ["--set", "kubeflow.token_env=KFP_TOKEN"]
    said = [call("submit", "--json", *named), call("upload", *named)]
    server.token = "another"
    said.append(call("upload", *named))
    assert [each[0] for each in said] == [0, 0, 2]
    assert "the token in $KFP_TOKEN is not accepted" in said[2][2]
    assert SECRET not in str(said)
    monkeypatch.delenv("KFP_TOKEN")
    assert "names KFP_TOKEN, which is not set" in call("upload", *named)[2]


def test_a_parameter_that_the_file_does_not_take_is_refused_before_anything_is_made(call, server, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("pipelineInfo: {name: other}\nroot: {dag: {}}\n")
    code, _, err = call("submit", "--data", "x", file=other)
    assert code == 2
    assert "the compiled pipeline other takes no parameter 'data'" in err
    assert server.requests == []


@pytest.mark.parametrize("command", ["upload", "submit"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nope.yaml", "nope.yaml: cannot be read: No such file or directory"),
        ("folder", "folder: cannot be read: Is a directory"),
        ("garbage", "garbage is no compiled KFP v2 pipeline"),
    ],
)
def test_its_own_input_is_looked_at_before_the_server(call, tmp_path, command, name, line):
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_text("a: [")
    code, out, err = call(command, file=tmp_path / name, host="http://127.0.0.1:1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


@pytest.mark.parametrize("command", ["upload", "submit"])
def test_an_unknown_step_is_told_before_anything_compiles_or_is_asked(call, server, command):
    code, _, err = call(command, "--set", "kubeflow.steps.Nope.cpu=2", file=None)
    assert (code, server.requests) == (2, [])
    assert "kubeflow.steps.Nope: no such step; allowed: " in err


@pytest.mark.parametrize("value", [f"{SECRET}\nx", f"{SECRET}é"])
def test_a_token_that_cannot_be_sent_is_one_line_without_it(call, server, monkeypatch, value):
    monkeypatch.setenv("KFP_TOKEN", value)
    code, out, err = call("upload", "--json", "--set", "kubeflow.token_env=KFP_TOKEN")
    assert (code, server.requests, err.count("\n")) == (2, [], 1)
    assert "the token in $KFP_TOKEN has a line break or other characters a header cannot carry" in err
    assert SECRET not in out + err


def test_rows_that_dataflow_does_not_see_are_told_before_the_server_is_asked(call, server):
    code, _, err = call("submit", "--env", "dataflow", "--data", "/rows/trips.csv")
    assert (code, server.requests) == (2, [])
    assert "data.source '/rows/trips.csv' is no gs:// place" in err
    assert call("submit", "--env", "dataflow")[0] == 0
