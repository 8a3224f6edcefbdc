"""The compiled pipeline as plain edges."""

from __future__ import annotations

from types import SimpleNamespace as Space

from pipeline.graph import Edge, input_types, shapes


def node(name, inputs=None, outputs=None, after=()):
    """As TFX's compiled pipeline holds one; inputs: key to (producer, output, min_count)."""
    channels = {
        key: Space(channels=[Space(producer_node_query=Space(id=producer), output_key=output)], min_count=least)
        for key, (producer, output, least) in (inputs or {}).items()
    }
    types = {key: Space(artifact_spec=Space(type=Space(name=kind))) for key, kind in (outputs or {}).items()}
    inner = Space(node_info=Space(id=name), inputs=Space(inputs=channels), outputs=Space(outputs=types), upstream_nodes=list(after))
    return Space(pipeline_node=inner)


COMPILED = Space(
    nodes=[
        node("Trainer", outputs={"model_run": "ModelRun", "model": "Model"}),
        node("Judge", {"model": ("Trainer", "model", 1), "baseline": ("Trainer", "model_run", 0)}, after=("Trainer", "A")),
    ]
)


def test_nodes_keep_their_order_and_their_keys_are_sorted():
    trainer, judge = shapes(COMPILED)
    assert list(trainer.outputs.items()) == [("model", "Model"), ("model_run", "ModelRun")]
    assert judge.inputs == (Edge("baseline", "Trainer", "model_run", True), Edge("model", "Trainer", "model", False))
    assert judge.after == ("A", "Trainer")


def test_an_inputs_type_is_that_which_its_producer_gives_out():
    assert {key: kind.name for key, kind in input_types(COMPILED, "Judge").items()} == {"model": "Model", "baseline": "ModelRun"}
