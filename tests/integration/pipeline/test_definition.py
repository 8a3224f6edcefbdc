"""The one pipeline: its nodes, their order, and what their cache keys are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.load import load_settings
from pipeline.beam import BEAM_NODES
from pipeline.layout import layout_of
from pipeline.nodes import NEVER_CACHED, node_names
from tests.fakes.trips import write_trips


@pytest.fixture
def built(use_case, tmp_path):
    """Builds the pipeline with more overrides."""
    from components.example_gen.columns import read_columns
    from components.example_gen.reading import Reading
    from components.example_gen.source import check_source
    from pipeline.definition import RunInputs, create_pipeline
    from pipeline.staging import stage_data

    source = check_source(str(write_trips(tmp_path / "trips.csv")), Reading(read_columns(use_case.schema_path)))

    def build(*overrides, run_id="run-1"):
        settings = load_settings("taxi", "local", [f"state={tmp_path / 'state'}", *overrides])
        inputs = RunInputs(stage_data(source, layout_of(settings)), tmp_path / "schema", run_id, "sha256:f", "code", "judging")
        return create_pipeline(use_case, settings, layout_of(settings), inputs)

    return build


def ids(pipeline):
    return [component.id for component in pipeline.components]


@pytest.mark.parametrize(("overrides", "tuner"), [((), False), (("tuner.enabled=true",), True)])
def test_the_nodes_are_those_that_are_told(built, overrides, tuner):
    pipeline = built(*overrides)
    assert sorted(ids(pipeline)) == sorted(node_names(tuner=tuner))
    assert set(ids(pipeline)) >= NEVER_CACHED


@pytest.mark.parametrize("tuner", [False, True])
def test_nodes_are_told_in_the_order_they_run(built, tuner):
    pipeline = built(f"tuner.enabled={str(tuner).lower()}")
    order = node_names(tuner=tuner)
    for component in pipeline.components:
        for upstream in component.upstream_nodes:
            assert order.index(upstream.id) < order.index(component.id), f"{upstream.id} runs before {component.id}"


def test_every_gate_stands_between_the_data_and_the_store(built):
    nodes = {component.id: component for component in built().components}

    def above(name):
        found = set()
        for upstream in nodes[name].upstream_nodes:
            found |= {upstream.id} | above(upstream.id)
        return found

    assert above("Pusher") >= {"ExampleValidator", "Evaluator", "InfraValidator", "Champion"}
    assert "ExampleValidator" in above("Transform")
    assert "Evaluator" in above("InfraValidator")


def test_environment_and_layout_reach_the_pipeline(built, tmp_path):
    info = built("cache=false")
    assert info.enable_cache is False
    assert Path(info.pipeline_info.pipeline_root) == tmp_path / "state" / "pipelines" / "taxi" / "artifacts"


def test_each_beam_node_gets_its_own_arguments_and_no_other_node_any(built):
    from tfx.dsl.components.base import executor_spec

    nodes = {
        node.id: node
        for node in built("beam={args: ['--direct_num_workers=3'], nodes: {Transform: [], Evaluator: ['--no_auth']}}").components
    }
    on_beam = {name for name, node in nodes.items() if isinstance(node.executor_spec, executor_spec.BeamExecutorSpec)}
    assert on_beam == set(BEAM_NODES)
    given = {name: nodes[name].executor_spec.beam_pipeline_args for name in BEAM_NODES}
    three = ["--direct_num_workers=3"]
    assert given == {"ExampleGen": three, "StatisticsGen": three, "Transform": [], "Evaluator": ["--no_auth"]}


def test_a_beam_argument_that_beam_does_not_know_is_told(built):
    with pytest.raises(ConfigError, match="Beam knows no --direct_num_worker; did you mean --direct_num_workers"):
        built("beam.args=['--direct_num_worker=3']")


def compiled_parameters(pipeline):
    """Node to what of its execution properties TFX's cache key is made of."""
    from tfx.dsl.compiler import compiler

    nodes = compiler.Compiler().compile(pipeline).nodes
    return {node.pipeline_node.node_info.id: str(node.pipeline_node.parameters) for node in nodes}


def test_only_the_pusher_knows_the_run(built):
    one, other = (compiled_parameters(built(run_id=run)) for run in ("run-1", "run-2"))
    assert [name for name in one if one[name] != other[name]] == ["Pusher"]


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("hparams.dropout=0.3", ["Trainer"]),
        ("budgets.full.epochs=1", ["Trainer"]),
        ("thresholds.auc=0.5", ["Evaluator"]),
        ("slices.min_examples=7", ["Evaluator"]),
        ("infra.tolerance=0.1", ["InfraValidator"]),
        ("data.train_buckets=5", ["ExampleGen"]),
    ],
)
def test_a_setting_reaches_its_node_and_no_other(built, override, changed):
    plain, other = compiled_parameters(built()), compiled_parameters(built(override))
    assert [name for name in plain if plain[name] != other[name]] == changed
