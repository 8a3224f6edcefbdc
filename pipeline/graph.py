"""The compiled pipeline as plain edges: which node gives what to which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Edge:
    """An input of a node: the node and the output that it comes from. ``optional``: it may hold nothing."""

    key: str
    producer: str
    output: str
    optional: bool


@dataclass(frozen=True)
class NodeShape:
    """A node without its inner life. ``outputs``: key to TFX's name of the artifact's type."""

    name: str
    inputs: tuple[Edge, ...]
    outputs: dict[str, str]
    after: tuple[str, ...]


def shapes(compiled: Any) -> list[NodeShape]:
    """The nodes of a pipeline that TFX compiled, in the order they run; keys sorted, so that the same pipeline is the same list."""
    return [_shape(item.pipeline_node) for item in compiled.nodes]


def input_types(compiled: Any, name: str) -> dict[str, Any]:
    """Input key to artifact type of one node, with the type's properties: only the node that makes an artifact knows them."""
    nodes = {item.pipeline_node.node_info.id: item.pipeline_node for item in compiled.nodes}
    return {edge.key: nodes[edge.producer].outputs.outputs[edge.output].artifact_spec.type for edge in _shape(nodes[name]).inputs}


def _shape(node: Any) -> NodeShape:
    edges = []
    for key, spec in sorted(node.inputs.inputs.items()):
        channel = spec.channels[0]
        edges.append(Edge(key, channel.producer_node_query.id, channel.output_key, spec.min_count == 0))
    outputs = {key: spec.artifact_spec.type.name for key, spec in sorted(node.outputs.outputs.items())}
    return NodeShape(node.node_info.id, tuple(edges), outputs, tuple(sorted(node.upstream_nodes)))
