"""The ExampleGen node: TFX's file-based one, with the columns' types given by the curated schema."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf import any_pb2, struct_pb2
from tfx.components import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.example_gen.executor import Executor


class ExampleGen(FileBasedExampleGen):  # type: ignore[misc] # tfx has no types
    """CSV files in, train and eval splits of tf.Examples out; a row's split is a hash of its content."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self, base: str, pattern: str, columns: Mapping[str, str], *, rows: int | None, train_buckets: int, eval_buckets: int, code: str
    ) -> None:
        """``columns``: name to FLOAT, INT or BYTES. ``rows``: at most so many of each file. ``code``: digest of what reads them."""
        how = struct_pb2.Struct()
        how.update({"columns": dict(columns), "rows": rows or 0, "code": code})
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
