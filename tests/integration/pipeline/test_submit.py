"""The compiled taxi pipeline on a server: what watching looks for is what the compiler wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipeline.cli.main import cli
from pipeline.kubeflow import follow
from pipeline.nodes import GATES, node_names
from serving.cli_frame import run_command
from tests.fakes.kfp_api import FakeKfp

GOLDEN = Path(__file__).with_name("golden") / "taxi.yaml"
NODES = node_names(tuner=False)


def compiled_tasks() -> dict[str, str]:
    """Every step of the compiled pipeline: the name it shows, and the key that KFP makes of it."""
    spec = next(yaml.safe_load_all(GOLDEN.read_text(encoding="utf-8")))
    groups = [spec["root"], *spec["components"].values()]
    return {task["taskInfo"]["name"]: key for group in groups for key, task in group.get("dag", {}).get("tasks", {}).items()}


@pytest.fixture
def server():
    with FakeKfp() as fake:
        yield fake


@pytest.fixture
def submit(server, capsys, monkeypatch):
    """Submits the golden file and watches a run whose tasks ended so: (exit code, document)."""
    monkeypatch.setitem(follow.follow.__kwdefaults__, "sleep", lambda _: None)

    def run(done, *arguments):
        tasks = [{"task_id": name, "display_name": name, "state": "SUCCEEDED"} for name in done]
        server.play({"state": "RUNNING"}, {"state": "SUCCEEDED", "run_details": {"task_details": tasks}})
        with pytest.raises(SystemExit) as caught:
            run_command(cli, ["submit", "taxi", "--file", str(GOLDEN), "--host", server.url, "--watch", "--json", *arguments])
        return caught.value.code, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("form", [0, 1], ids=["shown name", "key"])
def test_every_node_is_known_in_both_forms_of_its_name(submit, form):
    tasks = [pair[form] for pair in compiled_tasks().items() if not pair[0].startswith(("refused-by-", "if-"))]
    code, document = submit(tasks)
    assert (code, document["verdict"]) == (0, "live")
    assert {node["name"]: node["state"] for node in document["nodes"]} == dict.fromkeys(NODES, "done")


@pytest.mark.parametrize("form", [0, 1], ids=["shown name", "key"])
@pytest.mark.parametrize(("node", "gate"), GATES.items())
def test_every_gate_can_be_seen_to_refuse(submit, node, gate, form):
    names = compiled_tasks()
    passed = NODES[: NODES.index(node) + 1]
    done = ["plan", *passed, f"refused-by-{gate}"]
    code, document = submit([(name, names[name])[form] for name in done])
    assert (code, document["verdict"], document["gate"]) == (3, "refused", gate)
    assert {each["name"]: each["state"] for each in document["nodes"]}[node] == "refused"


def test_a_plan_that_finds_nothing_new_is_unchanged(submit):
    assert submit(["plan"])[1]["verdict"] == "unchanged"


def test_the_compiled_pipeline_takes_every_parameter_of_a_run(submit, server):
    given = ["--data", "/data/trips", "--set", "store.path=/sluiceway/store", "--set", "budget=smoke", "--set", "thresholds.auc=0.9"]
    submit(["plan"], *given)
    (run,) = server.runs.values()
    assert set(run["runtime_config"]["parameters"]) == {"data", "store", "budget", "thresholds"}
    assert run["runtime_config"]["parameters"]["thresholds"]["auc"] == 0.9
