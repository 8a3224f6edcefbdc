"""A model's own requests run before anyone else's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server.messages import CallOptions
from serving.server.warmup import warm_up
from tests.fakes.servable import FLOAT, STRING, FakeServable, double, signature_def

FILE = Path("warmup")
INPUT = wire.Input(example_list=wire.ExampleList(examples=[b""]))


def record(alias: str = "x") -> bytes:
    request = wire.PredictRequest(inputs={alias: tensors.to_proto(np.float32([1]))})
    return wire.PredictionLog(predict_log=wire.PredictLog(request=request)).SerializeToString()


def counting() -> tuple[FakeServable, list[int]]:
    runs: list[int] = []
    return FakeServable(graph=lambda feeds: runs.append(1) or double(feeds)), runs


def test_every_record_is_run_as_often_as_asked():
    servable, runs = counting()
    assert warm_up(servable, FILE, [record(), record()], iterations=3) == 2
    assert len(runs) == 6


def test_no_iterations_are_one():
    servable, runs = counting()
    warm_up(servable, FILE, [record()], iterations=0)
    assert len(runs) == 1


def test_no_records_are_fine():
    assert warm_up(FakeServable(), FILE, []) == 0


SPEC = wire.ModelSpec(name="m", signature_name="value")


@pytest.mark.parametrize(
    "log",
    [
        wire.PredictionLog(classify_log=wire.ClassifyLog(request=wire.ClassificationRequest(input=INPUT))),
        wire.PredictionLog(regress_log=wire.RegressLog(request=wire.RegressionRequest(model_spec=SPEC, input=INPUT))),
        wire.PredictionLog(
            multi_inference_log=wire.MultiInferenceLog(
                request=wire.MultiInferenceRequest(
                    tasks=[wire.InferenceTask(model_spec=SPEC, method_name="tensorflow/serving/regress")], input=INPUT
                )
            )
        ),
    ],
    ids=lambda log: log.WhichOneof("log_type"),
)
def test_every_kind_of_request_is_run(log):
    runs: list[int] = []
    definitions = {
        "serving_default": signature_def({"inputs": STRING}, {"scores": FLOAT}),
        "value": signature_def({"inputs": STRING}, {"outputs": FLOAT}),
    }
    values = {"scores:0": np.float32([[1]]), "outputs:0": np.float32([1])}
    assert warm_up(FakeServable(definitions, lambda _: runs.append(1) or values), FILE, [log.SerializeToString()]) == 1
    assert len(runs) == 1


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
        (
            wire.PredictionLog(predict_streamed_log=b"").SerializeToString(),
            Code.UNIMPLEMENTED,
            "warm-up record 2 of warmup: Unsupported log_type for warmup: predict_streamed_log",
        ),
    ],
)
def test_a_record_that_cannot_be_run_fails_the_load(bad, code, message):
    with pytest.raises(StatusError) as caught:
        warm_up(FakeServable(), FILE, [record(), bad])
    assert caught.value.code is code
    assert caught.value.message.startswith(message)


def test_a_thousand_records_are_fine():
    assert warm_up(FakeServable(), FILE, [record()] * 1000) == 1000


def test_one_record_more_is_run_and_fails_the_load():
    servable, runs = counting()
    with pytest.raises(StatusError, match="exceeds the maximum") as caught:
        warm_up(servable, FILE, [record()] * 1002)
    assert caught.value.message == "Number of warmup records exceeds the maximum (1000) at warmup"
    assert len(runs) == 1001


def test_the_flags_hold_for_warm_up_too():
    with pytest.raises(StatusError, match="method_name"):
        warm_up(FakeServable(), FILE, [record()], options=CallOptions(check_method_names=True))


def test_an_observer_hears_how_it_went():
    reports = []
    warm_up(FakeServable(), FILE, [record()], observer=reports.append)
    with pytest.raises(StatusError):
        warm_up(FakeServable(), FILE, [record(), record(), b"\xff"], observer=reports.append)
    good, bad = reports
    assert (good.path, good.records, good.code, good.message) == (FILE, 1, Code.OK, "")
    assert good.seconds >= 0
    assert (bad.records, bad.code) == (2, Code.INVALID_ARGUMENT)
    assert bad.message.startswith("Failed to parse warmup record")
