"""REST requests in the prediction log: the same records that gRPC requests leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from serving.protocol import tensors
from serving.protocol import wire_pb2 as wire
from serving.server import rest_logging, tfrecord
from serving.server.core import Core
from serving.server.model_config import LoggingSettings
from serving.server.models import Models
from tests.fakes.core import core_of

X, Y = np.float32([[1, 2]]), np.array([b"a", b"\xff"], object)
SPEC = wire.ModelSpec(name="m", signature_name="s")
INPUT = wire.Input(example_list=wire.ExampleList(examples=[b"one", b"two"]))


@pytest.fixture
def core(tmp_path) -> Core:
    return core_of(Models(), log=LoggingSettings(f"{tmp_path}/log", 1.0), configured=["m"])


def only_record(core: Core, folder: Path) -> wire.PredictionLog:
    core.logs.close()
    (file,) = folder.iterdir()
    (record,) = tfrecord.read(file)
    found = wire.PredictionLog.FromString(record)
    assert found.log_metadata.model_spec == wire.ModelSpec(name="m", signature_name="s", version=wire.Int64Value(value=7))
    found.ClearField("log_metadata")
    return found


def test_a_predict_request_is_logged_as_messages(core, tmp_path):
    rest_logging.log_predict(core, "m", 7, "s", {"x": X}, {"y": Y})
    assert only_record(core, tmp_path) == wire.PredictionLog(
        predict_log=wire.PredictLog(
            request=wire.PredictRequest(model_spec=SPEC, inputs={"x": tensors.to_proto(X)}),
            response=wire.PredictResponse(outputs={"y": tensors.to_proto(Y)}),
        )
    )


def test_a_classify_request_is_logged_as_messages(core, tmp_path):
    rest_logging.log_classify(core, "m", 7, "s", [b"one", b"two"], [[("a", 0.5)], [("b", 0.25), ("c", 1.0)]])
    found = only_record(core, tmp_path).classify_log
    assert found.request == wire.ClassificationRequest(model_spec=SPEC, input=INPUT)
    classes = [[(one.label, one.score) for one in each.classes] for each in found.response.result.classifications]
    assert classes == [[("a", 0.5)], [("b", 0.25), ("c", 1.0)]]


def test_a_regress_request_is_logged_as_messages(core, tmp_path):
    rest_logging.log_regress(core, "m", 7, "s", [b"one", b"two"], [1.5, -2.0])
    found = only_record(core, tmp_path).regress_log
    assert found.request == wire.RegressionRequest(model_spec=SPEC, input=INPUT)
    assert [one.value for one in found.response.result.regressions] == [1.5, -2.0]


@pytest.mark.parametrize("log", [rest_logging.log_predict, rest_logging.log_classify, rest_logging.log_regress])
def test_nothing_is_made_of_a_request_that_is_not_logged(core, log):
    unreadable = object()
    log(core, "another", 7, "s", unreadable, unreadable)
