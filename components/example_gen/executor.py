"""Runs the conversion inside Beam: one element a file, tf.Examples out; TFX splits them by a hash of their content."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx_bsl.coders import example_coder

from components.example_gen.convert import bucket_of, read_csv
from components.example_gen.source import real_place


class Executor(BaseExampleGenExecutor):  # type: ignore[misc] # tfx has no types
    """TFX's example generator with our reading and our splits.

    TFX splits by a hash of the serialized tf.Example, whose map of features has no fixed order: a row would move between train and
    eval from run to run. Ours is a hash of the row's content.
    """

    def GetInputSourceToExamplePTransform(self) -> Any:  # noqa: N802 - TFX's name
        raise NotImplementedError("GenerateExamplesByBeam does the whole work")

    def GenerateExamplesByBeam(self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        how = _options(exec_properties["custom_config"])
        splits = _parsed(exec_properties["output_config"], example_gen_pb2.Output()).split_config.splits
        pattern = _parsed(exec_properties["input_config"], example_gen_pb2.Input()).splits[0].pattern
        ends = list(itertools.accumulate(split.hash_buckets for split in splits))
        rows = int(how["rows"]) or None
        # Workers may be on other machines: what they get is the data's own place, not this run's stand-in for it.
        files = [real_place(path) for path in sorted(fileio.glob(f"{exec_properties['input_base']}/{pattern}"))]
        parts = (
            pipeline
            | "Files" >> beam.Create(files)
            | "OneWorkerAFile" >> beam.Reshuffle()
            | "Read" >> beam.FlatMap(_examples, how["columns"], rows, ends[-1])
            | "Split" >> beam.Partition(_split, len(ends), ends)
        )
        return {split.name: part | f"Examples[{split.name}]" >> beam.Values() for split, part in zip(splits, parts, strict=True)}


def _examples(path: str, columns: dict[str, Any], rows: int | None, buckets: int) -> Iterator[tuple[int, bytes]]:
    batch, contents = read_csv(path, columns, rows)
    for content, example in zip(contents, example_coder.RecordBatchToExamples(batch), strict=True):
        yield bucket_of(content, buckets), example


def _split(keyed: tuple[int, bytes], _: int, ends: list[int]) -> int:
    return bisect.bisect(ends, keyed[0])


def _options(text: str) -> dict[str, Any]:
    options = struct_pb2.Struct()
    _parsed(text, example_gen_pb2.CustomConfig()).custom_config.Unpack(options)
    found: dict[str, Any] = json_format.MessageToDict(options)
    return found


def _parsed(text: str, message: Any) -> Any:
    return json_format.Parse(text, message)
