"""The compiled pipeline: what stands in it, the same bytes each time, and a golden file for every use case there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from kfp import components

from configs.load import load_settings, names
from pipeline.kubeflow.compile import compile_pipeline
from pipeline.nodes import GATES, NEVER_CACHED, node_names

GOLDEN = Path(__file__).with_name("golden")
# Set it to write the golden files anew; the difference is then read and committed like any other change.
REGENERATE = "SLUICEWAY_WRITE_GOLDEN"


@pytest.fixture(scope="module")
def text():
    return compile_pipeline(load_settings("taxi", "kubeflow"))


@pytest.fixture(scope="module")
def spec(text):
    return next(yaml.safe_load_all(text))


def tasks(spec):
    """Task's name in the UI to (task, its container) through all branches."""
    found = {}
    groups = [spec["root"], *spec["components"].values()]
    for group in groups:
        for task in group.get("dag", {}).get("tasks", {}).values():
            label = spec["components"][task["componentRef"]["name"]].get("executorLabel")
            if label:
                found[task["taskInfo"]["name"]] = (task, spec["deploymentSpec"]["executors"][label]["container"])
    return found


def branches(spec):
    """Name of each branch to its condition."""
    groups = [spec["root"], *spec["components"].values()]
    inner = [task for group in groups for task in group.get("dag", {}).get("tasks", {}).values() if "triggerPolicy" in task]
    return {task["taskInfo"]["name"]: " ".join(task["triggerPolicy"]["condition"].split()) for task in inner}


@pytest.mark.parametrize("use_case", names("use_cases"))
def test_it_is_what_the_golden_file_says(use_case):
    """The SDK writes its own version and its own order of platform settings into the text: those are compared as data, or not at all."""
    text = compile_pipeline(load_settings(use_case, "kubeflow"))
    path = GOLDEN / f"{use_case}.yaml"
    if os.environ.get(REGENERATE):
        path.write_text(text, encoding="utf-8")
    assert comparable(text) == comparable(path.read_text(encoding="utf-8")), f"read the difference, then write it anew with {REGENERATE}=1"


def comparable(text):
    documents = list(yaml.safe_load_all(text))
    documents[0].pop("sdkVersion")
    return documents


def test_the_same_input_gives_the_same_bytes(text):
    assert compile_pipeline(load_settings("taxi", "kubeflow")) == text


def test_the_official_sdk_takes_it(text):
    loaded = components.load_component_from_text(text)
    assert set(loaded.component_spec.inputs) == {"data", "store", "budget", "thresholds"}


def test_every_node_of_the_definition_is_a_step_of_the_pipeline_image(spec):
    found = tasks(spec)
    assert set(found) == {*node_names(tuner=False), "plan", "prove", *(f"refused-by-{gate}" for gate in GATES.values())}
    for name, (_, container) in found.items():
        step = "refused" if name.startswith("refused") else name
        assert container["command"] == ["python", "-m", "pipeline"]
        assert container["args"][:3] == ["step", step, "taxi"]
        assert container["image"] == "sluiceway/pipeline:0.1.0"


def test_arguments_are_texts_in_which_placeholders_stand(spec):
    """The backend's launcher replaces placeholders in texts and knows none that are built of others."""
    for name, (_, container) in tasks(spec).items():
        assert all(argument.startswith(("--", "{{$}}")) for argument in container["args"][3:]), name
    assert "--store={{$.inputs.parameters['store']}}" in tasks(spec)["Champion"][1]["args"]
    assert "--input=candidate={{$.inputs.artifacts['in_candidate'].path}}" in tasks(spec)["Champion"][1]["args"]


def test_the_tuner_is_a_step_where_it_is_configured():
    spec = next(yaml.safe_load_all(compile_pipeline(load_settings("taxi", "kubeflow", ["tuner.enabled=true"]))))
    trainer = tasks(spec)["Trainer"][0]
    assert "Tuner" in tasks(spec)
    assert "in_hyperparameters" in trainer["inputs"]["artifacts"]


def test_what_depends_on_the_store_or_a_machine_is_never_cached(spec):
    cached = {name for name, (task, _) in tasks(spec).items() if task["cachingOptions"].get("enableCache")}
    assert cached == set(node_names(tuner=False)) - NEVER_CACHED - {"Evaluator"}
    uncached = next(yaml.safe_load_all(compile_pipeline(load_settings("taxi", "kubeflow", ["cache=false"]))))
    assert not any(task["cachingOptions"].get("enableCache") for task, _ in tasks(uncached).values())


def test_nothing_that_changes_from_run_to_run_reaches_a_cached_step(spec):
    for name, (task, _) in tasks(spec).items():
        if task["cachingOptions"].get("enableCache"):
            parameters = task["inputs"]["parameters"]
            assert not {"run_id", "fingerprint"} & set(parameters), name
            assert {"code", "judging"} & set(parameters), f"{name} would be taken from the cache when only its code changed"


def test_each_gate_has_a_branch_for_either_verdict_and_an_unchanged_run_ends_after_its_plan(spec):
    found = branches(spec)
    assert set(found) == {"if-something-is-new"} | {f"if-{gate}-{said}" for gate in GATES.values() for said in ("refused", "accepted")}
    assert found["if-something-is-new"] == "inputs.parameter_values['pipelinechannel--plan-Output'] == 'go'"
    assert found["if-evaluator-refused"].endswith("evaluator-Output'] == 'refused'")
    assert list(spec["root"]["dag"]["tasks"]) == ["condition-1", "plan"]


def test_resources_time_retries_volumes_and_secrets_are_those_of_the_environment():
    overrides = [
        "kubeflow.steps={Trainer: {cpu: '3', memory: 7Gi, accelerator: nvidia.com/gpu, accelerators: 2, timeout_minutes: 9, retries: 4,"
        " node_selector: {pool: gpu}}}",
        "kubeflow.secrets=[{name: bucket, keys: {id: AWS_ACCESS_KEY_ID}}]",
        "kubeflow.env={HTTP_PROXY: proxy}",
    ]
    spec, platform = yaml.safe_load_all(compile_pipeline(load_settings("taxi", "kubeflow", overrides)))
    task, container = tasks(spec)["Trainer"]
    resources = container["resources"]
    assert resources["resourceCpuLimit"] == "3"
    assert resources["resourceMemoryLimit"] == "7Gi"
    assert (resources["accelerator"]["resourceType"], resources["accelerator"]["resourceCount"]) == ("nvidia.com/gpu", "2")
    assert task["retryPolicy"]["maxRetryCount"] == 4
    assert {"name": "HTTP_PROXY", "value": "proxy"} in container["env"]
    given = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-trainer"]
    assert given["activeDeadlineSeconds"] == "540"
    assert given["nodeSelector"]["labels"] == {"pool": "gpu"}
    assert given["pvcMount"][0]["constant"] == "sluiceway"
    assert given["secretAsEnv"][0]["secretName"] == "bucket"
    assert "proxy" not in tasks(next(yaml.safe_load_all(compile_pipeline(load_settings("taxi", "kubeflow")))))["Trainer"][1].get("env", [])
