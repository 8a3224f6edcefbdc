"""What a server of one process says about itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server.cluster import LocalCluster
from serving.server.manager import Manager, ManagerSettings
from serving.server.metrics import Metrics
from serving.server.model_config import LoggingSettings
from serving.server.models import Models
from serving.server.prediction_logs import PredictionLogs
from serving.server.schemas import model_configs, pool
from tests.fakes.servable import FakeServable
from tests.fakes.versions import FakeLoader, config, make_version

COUNT = "/tensorflow/serving/request_count"


class Server:
    """The parts that a cluster of one stands on."""

    def __init__(self, root: Path, *, strict: bool = False) -> None:
        self.root, self.models, self.metrics = root, Models(), Metrics(strict=strict)
        self.manager = Manager(self.models, FakeLoader(), ManagerSettings(poll_seconds=0, retries=0, strict=strict))
        self.logs = PredictionLogs(self.metrics.logged, LoggingSettings(f"{root}/log", 1.0), strict=strict)
        self.cluster = LocalCluster(self.models, self.manager, self.metrics, self.logs)

    def asking_for(self, *names: str) -> bytes:
        """A reload request's config."""
        message = pool.new(model_configs.MESSAGE)
        message.model_config_list.SetInParent()
        for name in names:
            message.model_config_list.config.add(name=name, base_path=str(self.root / name), model_platform="tensorflow")
        return bytes(message.SerializeToString())


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.manager.stop()
    made.logs.close()


def test_a_reload_makes_models_metrics_and_logs_follow(server):
    make_version(server.root / "a", 1)
    server.cluster.reload(server.asking_for("a"), 10)
    assert server.cluster.statuses("a", None) == [VersionStatus(1, State.AVAILABLE)]
    assert server.logs.chosen("a") is not None
    server.metrics.request("a", 1, "predict", "REST").record(Code.OK, 1)
    server.metrics.request("stranger", None, "predict", "REST").record(Code.NOT_FOUND, 1)
    page = server.cluster.metrics_text()
    assert 'model_name="a"' in page
    assert 'model_name="unknown"' in page


@pytest.mark.parametrize(("content", "code"), [(b"\xff", Code.INVALID_ARGUMENT), (b"", Code.INVALID_ARGUMENT)])
def test_a_reload_that_is_no_list_of_models_changes_nothing(server, content, code):
    make_version(server.root / "a", 1)
    server.cluster.reload(server.asking_for("a"), 10)
    with pytest.raises(StatusError) as caught:
        server.cluster.reload(content, 10)
    assert caught.value.code is code
    assert [one.name for one in server.manager.configs] == ["a"]


def test_a_version_nobody_knows_is_not_found(server):
    with pytest.raises(StatusError, match="Could not find any versions of model m"):
        server.cluster.statuses("m", None)


def test_readiness_is_of_one_model_or_of_all(server):
    assert server.cluster.unready(None) is None  # asked for nothing, does nothing, is ready
    assert server.cluster.unready("a") == "model a is not configured here; configured: none"
    server.manager.start([config("b", server.root / "b"), config("a", server.root / "a")])
    assert server.cluster.unready(None) == "no version available of: b, a"
    assert server.cluster.unready("a") == "no version available of: a"
    assert server.cluster.unready("c") == "model c is not configured here; configured: a, b"
    server.models.load("a", 1, FakeServable)
    assert server.cluster.unready("a") is None
    assert server.cluster.unready(None) == "no version available of: b"
    server.models.load("b", 1, FakeServable)
    assert server.cluster.unready(None) is None


def test_a_server_that_stops_is_not_ready_whatever_it_has(server):
    server.cluster.drain()
    assert server.cluster.unready(None) == server.cluster.unready("m") == "the server is stopping"


def test_counters_are_told_by_how_much_they_grew(server):
    server.metrics.set_models(["m"])
    server.metrics.request("m", 1, "predict", "REST").record(Code.OK, 1)

    def work() -> None:
        for _ in range(3):
            server.metrics.request("m", 1, "predict", "REST").record(Code.OK, 1)

    assert server.cluster.increases([COUNT, "/nothing"], work) == {COUNT: 3, "/nothing": 0}


def test_work_is_done_once_also_when_no_counter_is_asked_for_and_may_fail(server):
    done: list[int] = []
    assert server.cluster.increases([], lambda: done.append(1)) == {}
    assert done == [1]
    with pytest.raises(StatusError):
        server.cluster.increases([COUNT], lambda: server.cluster.reload(b"", None))


def test_a_strict_page_has_no_label_of_ours(tmp_path):
    server = Server(tmp_path, strict=True)
    server.metrics.request("m", 1, "predict", "REST").record(Code.OK, 1)
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 1' in server.cluster.metrics_text().splitlines()
    server.logs.close()
