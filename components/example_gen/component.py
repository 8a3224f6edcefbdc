"""The ExampleGen node: TFX's file-based one, with what is read, and how, given by the use case."""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, struct_pb2
from tfx.components import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.example_gen.executor import Executor
from components.example_gen.reading import Reading


class ExampleGen(FileBasedExampleGen):  # type: ignore[misc] # tfx has no types
    """Rows or images in, train and eval splits of tf.Examples out; the split is a hash of the key."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self, base: str, pattern: str, reading: Reading, *, rows: int | None, train_buckets: int, eval_buckets: int, code: str
    ) -> None:
        """``rows``: at most so many of each file, or images of each class. ``code``: digest of what reads them."""
        how = struct_pb2.Struct()
        how.update({**_deciding(reading), "rows": rows or 0, "code": code})
        packed = any_pb2.Any()
        packed.Pack(how)
        split = example_gen_pb2.SplitConfig
        super().__init__(
            input_base=base,
            input_config=example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="all", pattern=pattern)]),
            output_config=example_gen_pb2.Output(
                split_config=split(
                    splits=[split.Split(name="train", hash_buckets=train_buckets), split.Split(name="eval", hash_buckets=eval_buckets)]
                )
            ),
            custom_config=example_gen_pb2.CustomConfig(custom_config=packed),
        )


def _deciding(reading: Reading) -> dict[str, Any]:
    """What decides the examples that are made of staged files; the rest decided which files those are."""
    key = {"key": reading.key} if reading.key is not None else {}
    if reading.reader == "images":
        return {"reader": "images", "corrupt_share": reading.corrupt_share, **key}
    columns = {"columns": dict(reading.columns), "names": dict(reading.names), "ignore_extra": reading.ignore_extra}
    return {"reader": "rows", **columns, **key}
