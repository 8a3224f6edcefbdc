"""A use case's preprocessing as Transform runs it: analysed over some rows, applied to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.use_cases.base import UseCase

Row = Mapping[str, Any]


def transformed(use_case: UseCase, training: Sequence[Row], rows: Sequence[Row], folder: Path) -> list[dict[str, Any]]:
    """What each of `rows` becomes, with vocabularies, means and quantiles of `training`; None is a missing value."""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tensorflow_transform import beam as tft_beam
    from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata

    schema = text_format.Parse(use_case.schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    whole = {feature.name for feature in schema.feature if feature.type == schema_pb2.INT}
    metadata = DatasetMetadata(schema)
    with tft_beam.Context(temp_dir=str(folder / "temporary")):
        graph = (_lists(training, whole), metadata) | tft_beam.AnalyzeDataset(use_case.load(use_case.preprocessing_name))
        outputs, _ = ((_lists(rows, whole), metadata), graph) | tft_beam.TransformDataset()
    found: list[dict[str, Any]] = outputs
    return found


def _lists(rows: Sequence[Row], whole: set[str]) -> list[dict[str, list[Any]]]:
    return [{name: [] if value is None else [_wire(value, name in whole)] for name, value in row.items()} for row in rows]


def _wire(value: Any, whole: bool) -> Any:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else int(value) if whole else float(value)
