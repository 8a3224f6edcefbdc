"""A transform graph of the taxi use case, analysed once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.use_cases.base import UseCase, get_use_case


@dataclass(frozen=True)
class Transformed:
    """``rows`` as they went in (None where missing), ``outputs`` row by row as they came out, ``graph`` as TFX would hand it on."""

    rows: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    graph: Any


@pytest.fixture(scope="session")
def use_case() -> UseCase:
    return get_use_case("taxi")


def raw_rows(use_case: UseCase) -> list[dict[str, Any]]:
    """The golden rows several times over with other amounts, each with a label."""
    rows = []
    for turn in range(5):
        for row in use_case.golden_rows():
            fare = (row["fare"] or 0.0) + turn
            rows.append({**row, "fare": fare, use_case.raw_label: fare * (0.3 if turn % 2 else 0.1)})
    return rows


@pytest.fixture(scope="session")
def transformed(use_case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Transformed:
    import tensorflow_transform as tft
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tensorflow_transform import beam as tft_beam
    from tensorflow_transform.tf_metadata import metadata_io
    from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata

    folder = tmp_path_factory.mktemp("transform")
    schema = text_format.Parse(use_case.schema_path.read_text(encoding="utf-8"), schema_pb2.Schema())
    rows = raw_rows(use_case)
    lists = [{name: [] if value is None else [_wire(value)] for name, value in row.items()} for row in rows]
    preprocessing_fn = use_case.load(use_case.preprocessing_name)
    with tft_beam.Context(temp_dir=str(folder / "temporary")):
        (outputs, _), fn = (lists, DatasetMetadata(schema)) | tft_beam.AnalyzeAndTransformDataset(preprocessing_fn)
        _ = fn | tft_beam.WriteTransformFn(str(folder / "graph"))
    graph = tft.TFTransformOutput(str(folder / "graph"))
    # TFX writes the raw schema beside the graph.
    metadata_io.write_metadata(DatasetMetadata(schema), str(folder / "graph" / graph.RAW_METADATA_DIR))
    return Transformed(rows, outputs, graph)


def _wire(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
