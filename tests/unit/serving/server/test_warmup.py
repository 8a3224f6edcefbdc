"""A model's own requests run before anyone else's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server.warmup import warm_up
from tests.fakes.servable import FakeServable, double

FILE = Path("warmup")


def record(alias: str = "x") -> bytes:
    request = wire.PredictRequest(inputs={alias: tensors.to_proto(np.float32([1]))})
    return wire.PredictionLog(predict_log=wire.PredictLog(request=request)).SerializeToString()


def test_every_record_is_run_as_often_as_asked():
    runs = []
    servable = FakeServable(graph=lambda feeds: runs.append(1) or double(feeds))
    assert warm_up(servable, FILE, [record(), record()], iterations=3) == 2
    assert len(runs) == 6


def test_no_records_are_fine():
    assert warm_up(FakeServable(), FILE, []) == 0


@pytest.mark.parametrize(
    ("bad", "code", "message"),
    [
        (record("z"), Code.INVALID_ARGUMENT, "warm-up record 2 of warmup: Signature input alias: x"),
        (b"\xff", Code.INVALID_ARGUMENT, "Failed to parse warmup record"),
        (
            wire.PredictionLog(session_run_log=b"").SerializeToString(),
            Code.UNIMPLEMENTED,
            "warm-up record 2 of warmup: Unsupported log_type for warmup: session_run_log",
        ),
    ],
)
def test_a_record_that_cannot_be_run_fails_the_load(bad, code, message):
    with pytest.raises(StatusError) as caught:
        warm_up(FakeServable(), FILE, [record(), bad])
    assert caught.value.code is code
    assert caught.value.message.startswith(message)


def test_too_many_records_fail_the_load():
    with pytest.raises(StatusError, match="exceeds the maximum"):
        warm_up(FakeServable(), FILE, [record()] * 1001)
