"""The file by which KFP learns what a step gave out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from configs.errors import UsageError
from pipeline.kubeflow.executor_output import DECISION, write_executor_output


@pytest.fixture
def executor_input(tmp_path):
    """As KFP puts it in place of ``{{$}}``."""
    model = {"name": "model", "type": {"schemaTitle": "system.Model"}, "uri": str(tmp_path / "model"), "metadata": {"given": "kept"}}
    return {
        "inputs": {},
        "outputs": {
            "artifacts": {"model": {"artifacts": [model]}},
            "parameters": {DECISION: {"outputFile": str(tmp_path / "parameters" / "Output")}},
            "outputFile": str(tmp_path / "deep" / "executor_output.json"),
        },
    }


def written(executor_input):
    return json.loads(Path(executor_input["outputs"]["outputFile"]).read_text(encoding="utf-8"))


def test_artifacts_are_named_with_their_metadata_and_what_kfp_gave_is_kept(executor_input):
    write_executor_output(json.dumps(executor_input), {}, {"model": {"blessed": 1}, "elsewhere": {"x": 1}})
    document = written(executor_input)
    (model,) = document["artifacts"]["model"]["artifacts"]
    assert model["metadata"] == {"given": "kept", "blessed": 1}
    assert model["uri"].endswith("/model")
    assert "parameterValues" not in document


def test_a_figure_that_is_no_number_is_left_out(executor_input):
    write_executor_output(json.dumps(executor_input), {}, {"model": {"auc": float("nan"), "loss": float("inf"), "rows": 1.0}})
    text = Path(executor_input["outputs"]["outputFile"]).read_text(encoding="utf-8")
    (model,) = json.loads(text)["artifacts"]["model"]["artifacts"]
    assert model["metadata"] == {"given": "kept", "rows": 1.0}
    assert "NaN" not in text


def test_the_decision_goes_out_under_the_name_that_can_be_branched_on(executor_input, tmp_path):
    write_executor_output(json.dumps(executor_input), {"decision": "refused", "undeclared": "x"}, {})
    assert written(executor_input)["parameterValues"] == {DECISION: "refused"}
    assert (tmp_path / "parameters" / "Output").read_text(encoding="utf-8") == "refused"


@pytest.mark.parametrize("text", ["{{$}}", "", "[]", "{}", '{"outputs": {}}', '{"outputs": null}'])
def test_a_text_that_is_no_executor_input_is_told(text):
    with pytest.raises(UsageError, match="is not KFP's executor input"):
        write_executor_output(text, {}, {})
