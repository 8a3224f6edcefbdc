"""Which requests are logged, chosen before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code, StatusError
from serving.server import tfrecord
from serving.server.model_config import LoggingSettings, ModelConfig
from serving.server.prediction_logs import PredictionLogs

REQUEST = wire.PredictRequest(model_spec=wire.ModelSpec(name="m"))


def config(name: str, log: LoggingSettings | None = None) -> ModelConfig:
    return ModelConfig(name, f"/models/{name}", logging=log)


@pytest.fixture
def make() -> Iterator[Callable[..., PredictionLogs]]:
    made: list[PredictionLogs] = []

    def make(
        everywhere: LoggingSettings | None = None, drawn: float | list[float] = 0.5, counted=lambda *_: None, **settings: bool
    ) -> PredictionLogs:
        made.append(
            PredictionLogs(counted, everywhere, draw=partial(next, cycle(drawn if isinstance(drawn, list) else [drawn])), **settings)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("drawn", "rate", "chosen"), [(0.0, 1.0, True), (0.99, 1.0, True), (0.49, 0.5, True), (0.5, 0.5, False), (0.0, 0.0, False)]
)
def test_a_share_of_the_requests_is_chosen(make, tmp_path, drawn, rate, chosen):
    logs = make(drawn=drawn)
    logs.follow([config("m", LoggingSettings(f"{tmp_path}/log", rate))])
    assert (logs.chosen("m") is not None) is chosen


def test_a_model_that_asks_for_no_log_has_the_one_for_all(make, tmp_path):
    logs = make(LoggingSettings(f"{tmp_path}/all", 1.0))
    logs.follow([config("m"), config("own", LoggingSettings(f"{tmp_path}/own", 0.0))])
    assert logs.chosen("m") is not None
    assert logs.chosen("own") is None
    assert logs.chosen("stranger") is None


def test_what_was_chosen_is_logged_whatever_the_rate(make, tmp_path):
    counts: list[tuple[str, int | None, Code]] = []
    logs = make(drawn=[0.1, 0.9], counted=lambda *told: counts.append(told))  # what a second draw for one request gave would be too high
    logs.follow([config("m", LoggingSettings(f"{tmp_path}/log", 0.2))])
    for version in range(20):
        logger = logs.chosen("m")
        assert logger is not None
        assert logs.chosen("m") is None
        logger.log_predict(REQUEST, wire.PredictResponse(), version)
    logs.close()
    (file,) = Path(tmp_path).iterdir()
    assert len(list(tfrecord.read(file))) == 20
    assert counts == [("m", version, Code.OK) for version in range(20)]


def test_the_next_configuration_replaces_the_last(make, tmp_path):
    logs = make()
    logs.follow([config("a", LoggingSettings(f"{tmp_path}/a", 1.0))])
    logs.follow([config("b", LoggingSettings(f"{tmp_path}/b", 1.0))])
    assert logs.chosen("a") is None
    assert logs.chosen("b") is not None


def test_a_strict_server_refuses_a_log_and_keeps_what_it_had(make, tmp_path):
    logs = make(LoggingSettings(f"{tmp_path}/all", 1.0), strict=True)
    logs.follow([config("m")])
    with pytest.raises(StatusError, match=r"^No request-logger-creator provided\.$") as caught:
        logs.follow([config("n"), config("o", LoggingSettings(f"{tmp_path}/o", 0.0))])
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert logs.chosen("m") is not None
