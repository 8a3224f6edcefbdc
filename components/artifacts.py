"""TFX artifacts to plain paths and values, and back: the only file that knows TFX's keys and layouts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.orchestration import metadata
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.evaluator.judge import OVERALL, Failure
from components.example_validator.judge import Anomaly, ColumnStatistics
from configs.errors import UsageError
from serving.store.manifest import content_digest, digest_files
from serving.verdict import Verdict

VERDICT_FILE = "verdict.json"
_BLESSED = "blessed"

Artifacts = Mapping[str, Sequence[Any]]


def only(artifacts: Artifacts, key: str) -> Any:
    """The single artifact of a channel."""
    return artifact_utils.get_single_instance(list(artifacts[key]))


def model_dir(artifact: Any) -> Path:
    """Where the SavedModel of a Model artifact lies."""
    return Path(path_utils.serving_model_path(artifact.uri))


def newest_outputs(metadata_file: Path, use_case: str, node: str) -> dict[str, list[Any]]:
    """Output key to artifacts, of the last time that a node ended well, whether it ran or was cached.

    Args:
        metadata_file: TFX's metadata, SQLite; ``Layout.metadata`` says where it is.

    Raises:
        UsageError: there is no such file, or the node never ended well.
    """
    nothing = f"{metadata_file}: {node} of {use_case} has left nothing there; run it first (sluiceway run)"
    # TFX would make an empty one.
    if not metadata_file.is_file():
        raise UsageError(nothing)
    with metadata.Metadata(metadata.sqlite_metadata_connection_config(str(metadata_file))) as handle:
        context = handle.store.get_context_by_type_and_name("node", f"{use_case}.{node}")
        executions = handle.store.get_executions_by_context(context.id) if context else []
        ended = [execution for execution in executions if execution_lib.is_execution_successful(execution)]
        if not ended:
            raise UsageError(nothing)
        outputs = execution_lib.get_output_artifacts(handle, max(execution.id for execution in ended))
    return {key: list(found) for key, found in outputs.items()}


def write_verdict(artifact: Any, verdict: Verdict, model: Path) -> None:
    """Keep a verdict in a blessing artifact, with the digest of the very model it was passed on.

    TFX's own property is set as well, so that TFX's tools read it too.
    """
    folder = Path(artifact.uri)
    folder.mkdir(parents=True, exist_ok=True)
    content = {**verdict.as_json(), "model": content_digest(digest_files(model))}
    (folder / VERDICT_FILE).write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    artifact.set_int_custom_property(_BLESSED, int(verdict.accepted))


def read_verdict(artifact: Any) -> Verdict:
    """The verdict that :func:`write_verdict` kept."""
    return Verdict.from_json(json.loads((Path(artifact.uri) / VERDICT_FILE).read_text(encoding="utf-8")))


def judged_model(artifact: Any) -> str:
    """The digest of the model that a verdict was passed on."""
    digest: str = json.loads((Path(artifact.uri) / VERDICT_FILE).read_text(encoding="utf-8"))["model"]
    return digest


def set_figures(artifact: Any, figures: Mapping[str, Any]) -> None:
    """Keep plain values with an artifact."""
    artifact.set_string_custom_property("figures", json.dumps(figures))


def figures(artifact: Any) -> dict[str, Any]:
    """What :func:`set_figures` kept."""
    kept: dict[str, Any] = json.loads(artifact.get_string_custom_property("figures") or "{}")
    return kept


def best_hyperparameters(artifact: Any) -> dict[str, Any]:
    """What a search found, by the names of its search space."""
    content = json.loads((Path(artifact.uri) / "best_hyperparameters.txt").read_text(encoding="utf-8"))
    values: dict[str, Any] = content["values"]
    return values


def splits(artifact: Any) -> list[str]:
    """The split names of an Examples, Statistics or Anomalies artifact."""
    return list(artifact_utils.decode_split_names(artifact.split_names))


def statistics(artifact: Any) -> dict[str, dict[str, ColumnStatistics]]:
    """Split to column to what the data gate needs of its statistics."""
    found = {}
    for split in splits(artifact):
        proto = statistics_pb2.DatasetFeatureStatisticsList.FromString(_split_file(artifact, split, "FeatureStats.pb"))
        features = proto.datasets[0].features if proto.datasets else []
        found[split] = {_feature_name(feature): _column(feature) for feature in features}
    return found


def row_counts(artifact: Any) -> dict[str, int]:
    """Split to number of rows."""
    counts = {}
    for split in splits(artifact):
        proto = statistics_pb2.DatasetFeatureStatisticsList.FromString(_split_file(artifact, split, "FeatureStats.pb"))
        counts[split] = sum(int(dataset.num_examples) for dataset in proto.datasets)
    return counts


def anomalies(artifact: Any) -> list[Anomaly]:
    """Everything the example validator found, in every split."""
    found = []
    for split in splits(artifact):
        proto = anomalies_pb2.Anomalies.FromString(_split_file(artifact, split, "SchemaDiff.pb"))
        for feature, info in sorted(proto.anomaly_info.items()):
            kinds = [anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in info.reason]
            found.append(Anomaly(split, feature, tuple(kinds), info.description))
        if proto.HasField("dataset_anomaly_info"):
            found.append(Anomaly(split, "", ("DATASET",), proto.dataset_anomaly_info.description))
    return found


def evaluation_failures(artifact: Any) -> list[Failure]:
    """Every threshold that the evaluation found not kept."""
    result = tfma.load_validation_result(artifact.uri)
    failures = [
        Failure(_slice_name(per_slice.slice_key.single_slice_keys), failure.metric_key.name, *_bound(failure))
        for per_slice in result.metric_validations_per_slice
        for failure in per_slice.failures
    ]
    failures += [Failure(OVERALL, f"slice {' '.join(str(item).split())}", None, None, "missing") for item in result.missing_slices]
    if not result.validation_ok and not failures:
        failures.append(Failure(OVERALL, "the evaluation", None, None, "missing"))
    return failures


def evaluation_examples(artifact: Any) -> dict[str, float]:
    """How many rows each slice was measured on."""
    return {name: metrics.get("example_count", 0.0) for name, metrics in evaluation_slices(artifact).items()}


def evaluation_metrics(artifact: Any) -> dict[str, float]:
    """The candidate's metrics over the whole evaluation split."""
    return evaluation_slices(artifact).get(OVERALL, {})


def evaluation_slices(artifact: Any, *, champion: bool = False) -> dict[str, dict[str, float]]:
    """Slice (``column=value``; all rows: ``OVERALL``) to metric to value, of the candidate or its champion; empty where there was none."""
    config = tfma.load_eval_results(artifact.uri).get_results()[0].config
    model = next((spec.name for spec in config.model_specs if spec.is_baseline is champion), None)
    if model is None:
        return {}
    # TFMA gives one result a model. A model that is alone has no name.
    result = tfma.load_eval_result(artifact.uri, model_name=model or None)
    found: dict[str, dict[str, float]] = {}
    for key, by_output in result.slicing_metrics:
        name = ", ".join(f"{column}={value}" for column, value in key)
        values = found.setdefault(name, {})
        for by_sub_key in by_output.values():
            for metrics in by_sub_key.values():
                # With a champion TFMA adds the differences to it; they are the judge's business, not the candidate's figures.
                own = {metric: value["doubleValue"] for metric, value in metrics.items() if "doubleValue" in value}
                # TFMA writes NaN as a text; a figure that is none is left out, its threshold fails by itself.
                values.update(
                    {name: float(value) for name, value in own.items() if not name.endswith("_diff") and math.isfinite(float(value))}
                )
    return found


def evaluation_limits(artifact: Any) -> dict[str, str]:
    """Metric to its absolute limit in words, for those that have one."""
    config = tfma.load_eval_results(artifact.uri).get_results()[0].config
    limits = {}
    for spec in config.metrics_specs:
        for metric in spec.metrics:
            overall = [item.threshold for item in metric.per_slice_thresholds if not item.slicing_specs[0].feature_keys]
            if not overall:
                continue
            bounds = overall[0].value_threshold
            name = json.loads(metric.config or "{}").get("name", "")
            if bounds.HasField("lower_bound"):
                limits[name] = f">= {bounds.lower_bound.value:g}"
            elif bounds.HasField("upper_bound"):
                limits[name] = f"<= {bounds.upper_bound.value:g}"
    return limits


def _split_file(artifact: Any, split: str, name: str) -> bytes:
    return (Path(artifact_utils.get_split_uri([artifact], split)) / name).read_bytes()


def _feature_name(feature: Any) -> str:
    return feature.name or ".".join(feature.path.step)


def _column(feature: Any) -> ColumnStatistics:
    if feature.WhichOneof("stats") == "num_stats":
        numbers = feature.num_stats
        varies = numbers.min != numbers.max
        return ColumnStatistics(int(numbers.common_stats.num_non_missing), varies, ())
    words = feature.string_stats
    examples = tuple(value.value for value in words.top_values[:3])
    return ColumnStatistics(int(words.common_stats.num_non_missing), words.unique != 1, examples)


def _slice_name(keys: Iterable[Any]) -> str:
    parts = []
    for key in keys:
        value = getattr(key, key.WhichOneof("kind")) if key.WhichOneof("kind") else ""
        parts.append(f"{key.column}={value.decode() if isinstance(value, bytes) else value}")
    return ", ".join(parts)


def _bound(failure: Any) -> tuple[float | None, float | None, str]:
    """(measured, limit, kind) of a failed threshold; kind is ``at least``, ``at most``, ``change`` or ``missing``."""
    threshold = failure.metric_threshold
    measured = failure.metric_value.double_value.value if failure.metric_value.WhichOneof("type") == "double_value" else None
    if threshold.WhichOneof("validate_absolute") and not failure.metric_key.is_diff:
        bounds = threshold.value_threshold
        if bounds.HasField("lower_bound"):
            return measured, bounds.lower_bound.value, "at least"
        return measured, bounds.upper_bound.value, "at most"
    if threshold.WhichOneof("validate_relative"):
        return measured, threshold.change_threshold.absolute.value, "change"
    return measured, None, "missing"
