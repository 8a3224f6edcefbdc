"""What a finished node has to say: its verdict if it is a gate, and the figure a person wants to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.portable.mlmd import execution_lib

from components import artifacts
from components.artifacts import Artifacts, only
from components.example_gen.corrupt import told_images
from components.example_validator.judge import judge
from components.report import NodeReport


def inspect_node(name: str, connection: Any, execution_id: int, raw_label: str) -> NodeReport:
    """Read a node's execution and artifacts from the metadata store: the same for one that ran and one that was cached."""
    with connection as handle:
        (execution,) = handle.store.get_executions_by_id([execution_id])
        cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
        inputs = execution_lib.get_input_artifacts(handle, execution_id)
        outputs = execution_lib.get_output_artifacts(handle, execution_id)
    return report_of(name, cached=cached, inputs=inputs, outputs=outputs, raw_label=raw_label)


def report_of(name: str, *, cached: bool, inputs: Artifacts, outputs: Artifacts, raw_label: str) -> NodeReport:
    """What a node has to say, from its artifacts alone. ``raw_label`` is the column that the data gate watches."""
    read = _READERS.get(name)
    return read(cached, inputs, outputs, raw_label) if read else NodeReport(cached)


def _example_gen(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    seen = artifacts.figures(only(outputs, "examples"))
    return NodeReport(cached, None, told_images(seen), seen) if seen else NodeReport(cached)


def _statistics(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    rows = artifacts.row_counts(only(outputs, "statistics"))
    return NodeReport(cached, None, " + ".join(f"{count:,} {split}" for split, count in rows.items()) + " rows", rows)


def _data_gate(cached: bool, inputs: Artifacts, outputs: Artifacts, raw_label: str) -> NodeReport:
    found = artifacts.anomalies(only(outputs, "anomalies"))
    statistics = only(inputs, "statistics")
    images = artifacts.figures(only(inputs, "examples")) if inputs.get("examples") else {}
    verdict = judge(found, artifacts.statistics(statistics), artifacts.row_counts(statistics), raw_label, images)
    count = len(verdict.reasons)
    return NodeReport(cached, verdict, f"{count} anomal{'y' if count == 1 else 'ies'}")


def _tuner(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    best = artifacts.best_hyperparameters(only(outputs, "best_hyperparameters"))
    said = ", ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in sorted(best.items()))
    return NodeReport(cached, None, f"best: {said}", best)


def _champion(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    if not outputs.get("champion"):
        return NodeReport(cached, None, "none yet")
    version = artifacts.figures(only(outputs, "champion"))["version"]
    return NodeReport(cached, None, f"v{version}", {"version": version})


def _evaluator(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    evaluation = only(outputs, "evaluation")
    verdict = artifacts.read_verdict(only(outputs, "blessing"))
    limits = artifacts.evaluation_limits(evaluation)
    metrics = artifacts.evaluation_metrics(evaluation)
    parts = [f"{name} {metrics[name]:.4f} ({bound})" for name, bound in limits.items() if name in metrics]
    return NodeReport(cached, verdict, ", ".join(parts), metrics)


def _infra_validator(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    blessing = only(outputs, "blessing")
    seen = artifacts.figures(blessing)
    loaded = f"loaded in {seen['load_seconds']:.1f} s, {seen['answers']} answers" if seen["load_seconds"] is not None else "did not load"
    return NodeReport(cached, artifacts.read_verdict(blessing), loaded, seen)


def _pusher(cached: bool, _: Artifacts, outputs: Artifacts, __: str) -> NodeReport:
    pushed = artifacts.figures(only(outputs, "pushed_model"))
    text = {"publish": f"published v{pushed['version']}", "unchanged": f"v{pushed['version']} is live already", "refused": "not published"}
    return NodeReport(cached, None, text[pushed["decision"]], pushed)


_READERS: dict[str, Callable[[bool, Artifacts, Artifacts, str], NodeReport]] = {
    "ExampleGen": _example_gen,
    "StatisticsGen": _statistics,
    "ExampleValidator": _data_gate,
    "Tuner": _tuner,
    "Champion": _champion,
    "Evaluator": _evaluator,
    "InfraValidator": _infra_validator,
    "Pusher": _pusher,
}
