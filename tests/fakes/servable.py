"""A loaded model without TensorFlow: graph tensors are whatever a function makes of the feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from serving.protocol import wire_pb2 as wire
from serving.protocol.metadata import from_messages
from serving.protocol.signature import SignatureSpec
from serving.server.servable import Array

STRING, FLOAT, INT64 = 7, 1, 9


def signature_def(inputs: Mapping[str, int], outputs: Mapping[str, int], **defaults: wire.TensorProto) -> wire.SignatureDef:
    """A signature whose tensors are named after their aliases, ``x:0``; types are TensorFlow's numbers."""
    return wire.SignatureDef(
        inputs={name: wire.TensorInfo(name=f"{name}:0", dtype=wire.DataType.ValueType(kind)) for name, kind in inputs.items()},
        outputs={name: wire.TensorInfo(name=f"{name}:0", dtype=wire.DataType.ValueType(kind)) for name, kind in outputs.items()},
        defaults=defaults,
    )


def double(feeds: Mapping[str, Array]) -> dict[str, Array]:
    return {"y:0": np.asarray(feeds["x:0"]) * np.float32(2)}


class FakeServable:
    """By default: ``serving_default`` takes x and answers y = 2 x."""

    def __init__(
        self,
        signature_defs: Mapping[str, wire.SignatureDef] | None = None,
        graph: Callable[[Mapping[str, Array]], Mapping[str, Array]] = double,
    ) -> None:
        self.signature_defs = signature_defs or {"serving_default": signature_def({"x": FLOAT}, {"y": FLOAT})}
        self.signatures: Mapping[str, SignatureSpec] = from_messages(self.signature_defs)
        self.closed = False
        self._graph = graph

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        del timeout_seconds  # a fake answers at once
        tensors = self._graph(feeds)
        return [tensors[name] for name in fetches]

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        del feeds, fetches
        return False

    def close(self) -> None:
        self.closed = True
