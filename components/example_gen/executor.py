"""Runs the conversion inside Beam: one element a file, tf.Examples out; TFX splits them by a hash of their content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx_bsl.coders import example_coder

from components.example_gen.convert import read_csv


@beam.ptransform_fn
def _files_to_examples(pipeline: beam.Pipeline, exec_properties: dict[str, Any], split_pattern: str) -> Any:
    config = example_gen_pb2.CustomConfig()
    json_format.Parse(exec_properties["custom_config"], config)
    how = struct_pb2.Struct()
    config.custom_config.Unpack(how)
    options = json_format.MessageToDict(how)
    pattern = f"{exec_properties['input_base']}/{split_pattern}"
    files = sorted(fileio.glob(pattern))
    rows = int(options["rows"]) if options.get("rows") else None
    return pipeline | beam.Create(files) | beam.Reshuffle() | beam.FlatMap(_examples, options["columns"], rows)


def _examples(path: str, columns: dict[str, Any], rows: int | None) -> Iterator[bytes]:
    yield from example_coder.RecordBatchToExamples(read_csv(path, columns, rows))


class Executor(BaseExampleGenExecutor):
    """TFX's example generator with our reading of files."""

    def GetInputSourceToExamplePTransform(self) -> Any:  # noqa: N802 - TFX's name
        return _files_to_examples


