"""The nodes by name."""

from __future__ import annotations

from pipeline.nodes import NEVER_CACHED, NODES, OPTIONAL, node_names


def test_the_tuner_runs_only_when_asked_for():
    assert node_names(tuner=True) == list(NODES)
    assert [name for name in NODES if name not in node_names(tuner=False)] == ["Tuner"]


def test_special_nodes_are_nodes():
    assert set(NODES) >= NEVER_CACHED
    assert set(NODES) >= OPTIONAL


def test_no_node_is_named_twice():
    assert len(set(NODES)) == len(NODES)


def test_every_gate_stands_before_the_pusher():
    pusher = NODES.index("Pusher")
    assert all(NODES.index(gate) < pusher for gate in ("ExampleValidator", "Evaluator", "InfraValidator"))
    assert pusher == len(NODES) - 1
