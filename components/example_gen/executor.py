"""Runs the conversion inside Beam: files or images in, tf.Examples out, each in the split that its key decides."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen.base_example_gen_executor import BaseExampleGenExecutor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx_bsl.coders import example_coder

from components.example_gen.convert import bucket_of, read_csv, unreadable_on_host
from components.example_gen.corrupt import REPORT_FILE, corrupt_figures, corrupt_line
from components.example_gen.decode import MOST_BYTES, fault
from components.example_gen.index import Entry, read_index
from components.example_gen.parquet import read_parquet
from components.example_gen.reading import Reading
from components.example_gen.source import Kind, kind_of, real_place
from configs.errors import UsageError

_CORRUPT = "corrupt"


class Executor(BaseExampleGenExecutor):  # type: ignore[misc] # tfx has no types
    """TFX's example generator with our reading and our splits.

    TFX splits by a hash of the serialized tf.Example, whose map of features has no fixed order: a row would move between train and
    eval from run to run. Ours is a hash of the row's content, of one of its columns, or of an image's bytes.
    """

    _report = ""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:  # noqa: N802 - TFX's name
        """TFX's, and for images the report on those that were left out."""
        (examples,) = output_dict["examples"]
        self._report = f"{examples.uri}/{REPORT_FILE}"
        super().Do(input_dict, output_dict, exec_properties)
        how = _options(exec_properties["custom_config"])
        if how["reader"] == "images":
            # Here and not above: it loads the libraries of every node, which the workers do not need.
            from components.artifacts import set_figures

            with fileio.open(self._report) as file:
                lines = sorted(file.read().splitlines())
            with fileio.open(self._report, "w") as file:
                file.write("".join(f"{line}\n" for line in lines))
            images = sum(1 for _ in read_index(_places(exec_properties)[0], _most(how)))
            set_figures(examples, corrupt_figures(lines, images, how["corrupt_share"]))

    def GetInputSourceToExamplePTransform(self) -> Any:  # noqa: N802 - TFX's name
        raise NotImplementedError("GenerateExamplesByBeam does the whole work")

    def GenerateExamplesByBeam(self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        how = _options(exec_properties["custom_config"])
        splits = _parsed(exec_properties["output_config"], example_gen_pb2.Output()).split_config.splits
        ends = list(itertools.accumulate(split.hash_buckets for split in splits))
        places = _places(exec_properties)
        if how["reader"] == "images":
            keyed = self._images(pipeline, places[0], how, ends[-1])
        else:
            reading = Reading(how["columns"], names=how["names"], key=how.get("key"), ignore_extra=how["ignore_extra"])
            # Workers may be on other machines: what they get is the data's own place, not this run's stand-in for it.
            files = [(real_place(path), kind_of(path)) for path in places]
            keyed = (
                pipeline
                | "Files" >> beam.Create(files)
                | "OneWorkerAFile" >> beam.Reshuffle()
                | "Read" >> beam.FlatMap(_rows, reading, _most(how), ends[-1])
            )
        parts = keyed | "Split" >> beam.Partition(_split, len(ends), ends)
        return {split.name: part | f"Examples[{split.name}]" >> beam.Values() for split, part in zip(splits, parts, strict=True)}

    def _images(self, pipeline: beam.Pipeline, index: str, how: dict[str, Any], buckets: int) -> Any:
        looked = (
            pipeline
            | "Index" >> beam.Create([index])
            | "Images" >> beam.FlatMap(_listed, _most(how))
            | "SpreadOut" >> beam.Reshuffle()
            | "Look" >> beam.FlatMap(_image, how.get("key"), buckets).with_outputs(_CORRUPT, main="good")
        )
        _ = looked[_CORRUPT] | "Report" >> beam.io.WriteToText(self._report, num_shards=1, shard_name_template="")
        return looked["good"]


def _rows(file: tuple[str, Kind], reading: Reading, rows: int | None, buckets: int) -> Iterator[tuple[int, bytes]]:
    path, kind = file
    for batch, keys in read_parquet(path, reading, rows) if kind == "parquet" else [read_csv(path, reading, rows)]:
        for key, example in zip(keys, example_coder.RecordBatchToExamples(batch), strict=True):
            yield bucket_of(key, buckets), example


def _listed(index: str, most: int | None) -> Iterator[tuple[str, ...]]:
    """Root, and the entry's parts: texts go between workers as they are."""
    for root, entry in read_index(index, most):
        yield root, entry.path, entry.name, entry.label, entry.sha256


def _image(listed: tuple[str, ...], key: str | None, buckets: int) -> Iterator[Any]:
    entry = Entry(*listed[1:])
    path = Path(listed[0], entry.path)
    try:
        if path.stat().st_size > MOST_BYTES:
            yield beam.pvalue.TaggedOutput(_CORRUPT, corrupt_line(entry.path, f"more than {MOST_BYTES // 2**20} MiB"))
            return
        content = path.read_bytes()
    except OSError as error:
        raise unreadable_on_host(path, error) from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise UsageError(f"{path}: changed since this run was planned; run again")
    why = fault(content)
    if why is not None:
        yield beam.pvalue.TaggedOutput(_CORRUPT, corrupt_line(entry.path, why))
        return
    values = {"image": content, "label": entry.label.encode(), "name": entry.name.encode()}
    features = {name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for name, value in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    # An image's key is its content, so that a copy under another name stays in the split.
    yield bucket_of((entry.name if key == "name" else entry.sha256).encode(), buckets), example.SerializeToString(deterministic=True)


def _split(keyed: tuple[int, bytes], _: int, ends: list[int]) -> int:
    return bisect.bisect(ends, keyed[0])


def _places(exec_properties: dict[str, Any]) -> list[str]:
    """The staged files."""
    pattern = _parsed(exec_properties["input_config"], example_gen_pb2.Input()).splits[0].pattern
    return sorted(fileio.glob(f"{exec_properties['input_base']}/{pattern}"))


def _most(how: dict[str, Any]) -> int | None:
    return int(how["rows"]) or None


def _options(text: str) -> dict[str, Any]:
    options = struct_pb2.Struct()
    _parsed(text, example_gen_pb2.CustomConfig()).custom_config.Unpack(options)
    found: dict[str, Any] = json_format.MessageToDict(options)
    return found


def _parsed(text: str, message: Any) -> Any:
    return json_format.Parse(text, message)
