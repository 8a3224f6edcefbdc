"""What people read out of a pipeline's artifacts, against TFX's real metadata and TFMA's real configuration."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow_model_analysis as tfma
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import standard_artifacts

from components import artifacts
from components.evaluator.judge import OVERALL
from configs.errors import UsageError

State = metadata_store_pb2.Execution


def record(file: Path, node: str, uri: str, state: State.State) -> None:
    """Write down that a node ended in a state, with one Examples artifact at a place, as TFX's launcher does."""
    spec = pipeline_pb2.ContextSpec()
    spec.type.name = "node"
    spec.name.field_value.string_value = node
    examples = standard_artifacts.Examples()
    examples.uri = uri
    with metadata.Metadata(metadata.sqlite_metadata_connection_config(str(file))) as handle:
        context = context_lib.register_context_if_not_exists(handle, "node", node)
        execution = execution_lib.prepare_execution(handle, metadata_store_pb2.ExecutionType(name=node), state)
        execution_lib.put_execution(handle, execution, [context], output_artifacts={"examples": [examples]})


def test_the_newest_outputs_are_those_of_the_last_good_end(tmp_path: Path) -> None:
    file = tmp_path / "metadata.sqlite"
    record(file, "taxi.ExampleGen", "/first", State.COMPLETE)
    record(file, "taxi.ExampleGen", "/second", State.CACHED)
    record(file, "taxi.ExampleGen", "/broken", State.FAILED)
    record(file, "digits.ExampleGen", "/another", State.COMPLETE)
    found = artifacts.newest_outputs(file, "taxi", "ExampleGen")
    assert [artifact.uri for artifact in found["examples"]] == ["/second"]


def test_a_node_that_never_ended_well_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "metadata.sqlite"
    record(file, "taxi.ExampleGen", "/broken", State.FAILED)
    for node in ("ExampleGen", "Tuner"):
        with pytest.raises(UsageError, match=f"{node} of taxi has left nothing there; run it first"):
            artifacts.newest_outputs(file, "taxi", node)


def test_looking_makes_no_metadata(tmp_path: Path) -> None:
    file = tmp_path / "metadata.sqlite"
    with pytest.raises(UsageError, match="run it first"):
        artifacts.newest_outputs(file, "taxi", "ExampleGen")
    assert not file.exists()


def evaluated(monkeypatch: pytest.MonkeyPatch, models: dict[str, list[object]], specs: list[tfma.ModelSpec]) -> SimpleNamespace:
    """An evaluation as TFMA reads it back: its configuration, and for each model its slices."""
    config = tfma.EvalConfig(model_specs=specs)
    monkeypatch.setattr(tfma, "load_eval_results", lambda _: SimpleNamespace(get_results=lambda: [SimpleNamespace(config=config)]))
    monkeypatch.setattr(tfma, "load_eval_result", lambda _, model_name: SimpleNamespace(slicing_metrics=models[model_name or ""]))
    return SimpleNamespace(uri="/evaluation")


def measured(**metrics: object) -> dict[str, object]:
    return {"": {"": {name: {"doubleValue": value} for name, value in metrics.items()}}}


def test_slices_are_told_of_the_candidate_and_of_its_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    models: dict[str, list[object]] = {
        "candidate": [((), measured(auc=0.9, auc_diff=0.1)), ((("hour", 4),), measured(auc="NaN", example_count=11.0))],
        "baseline": [((), measured(auc=0.8))],
    }
    evaluation = evaluated(monkeypatch, models, [tfma.ModelSpec(name="baseline", is_baseline=True), tfma.ModelSpec(name="candidate")])
    assert artifacts.evaluation_slices(evaluation) == {OVERALL: {"auc": 0.9}, "hour=4": {"example_count": 11.0}}
    assert artifacts.evaluation_slices(evaluation, champion=True) == {OVERALL: {"auc": 0.8}}
    assert artifacts.evaluation_examples(evaluation) == {OVERALL: 0.0, "hour=4": 11.0}


def test_a_first_model_has_no_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = evaluated(monkeypatch, {"": [((), measured(auc=0.9))]}, [tfma.ModelSpec()])
    assert artifacts.evaluation_slices(evaluation) == {OVERALL: {"auc": 0.9}}
    assert artifacts.evaluation_slices(evaluation, champion=True) == {}
