"""What becomes of a container, on an engine that is the test's: nothing the engine does says anything of the model."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

docker = pytest.importorskip("docker")
from docker.errors import APIError, ImageNotFound, NotFound  # noqa: E402 - only with the library

from serving.errors import LaunchError, ServerDied  # noqa: E402
from serving.launchers import docker as module  # noqa: E402
from serving.launchers.docker import DockerLauncher, remove  # noqa: E402
from serving.launchers.owner import Owner  # noqa: E402
from serving.launchers.target import Target  # noqa: E402

TARGET = Target("docker", "image:1", ("--enable_batching",))


class Engine:
    """A client of an engine with the containers and images that the test gives it."""

    def __init__(self) -> None:
        self.local, self.registry = {"image:1"}, set()
        self.left: dict[str, dict[str, str]] = {}
        self.created: dict[str, object] = {}
        self.fail: Exception | None = None
        self.state = {"Status": "running", "ExitCode": 0}
        self.ports: dict[str, object] = {}
        self.images = SimpleNamespace(get=self._get, pull=self._pull)
        self.containers = SimpleNamespace(create=self._create)
        self.api = SimpleNamespace(containers=self._list, remove_container=self._remove)

    def _get(self, image: str) -> None:
        if image not in self.local:
            raise ImageNotFound("no such image")

    def _pull(self, image: str) -> None:
        if image not in self.registry:
            raise NotFound("not found", explanation="pull access\ndenied")
        self.local.add(image)

    def _list(self, **_: object) -> list[dict[str, object]]:
        return [{"Id": name, "Labels": labels} for name, labels in self.left.items()]

    def _create(self, image: str, **settings: object) -> SimpleNamespace:
        self.created = {"image": image, **settings}
        self.left[str(settings["name"])] = settings["labels"]
        return SimpleNamespace(start=self._start, reload=self._reload, logs=lambda: b"words", attrs={"State": self.state}, ports=self.ports)

    def _start(self) -> None:
        if self.fail is not None:
            raise self.fail

    def _reload(self) -> None:
        if self.created["name"] not in self.left:
            raise NotFound("gone")
        self._start()

    def _remove(self, name: str, **_: object) -> None:
        if self.left.pop(name, None) is None:
            raise NotFound("gone")

    def close(self) -> None:
        pass


class Reaper:
    started: list[str]

    def terminate(self) -> None:
        pass

    def wait(self) -> None:
        pass


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr(module, "_connect", lambda: made)
    monkeypatch.setattr(module.reaper, "start", lambda *_: Reaper())
    return made


@pytest.fixture
def server(engine, tmp_path):
    with DockerLauncher(TARGET).launch(tmp_path, model_name="taxi") as running:
        yield running
    assert engine.left == {}


def test_a_container_may_do_nothing_but_serve(engine, server, tmp_path):
    made = engine.created
    (mount,) = made["mounts"]
    assert (mount["Target"], mount["Source"], mount["ReadOnly"]) == ("/models/taxi/1", str(tmp_path), True)
    assert {address for address, _ in made["ports"].values()} == {"127.0.0.1"}
    assert made["user"] == f"{os.getuid()}:{os.getgid()}"
    assert (made["cap_drop"], made["security_opt"]) == (["ALL"], ["no-new-privileges"])
    assert made["labels"] == Owner.this_process().labels()
    assert made["name"] == server.name


def test_it_loads_once_with_the_production_flags(engine, server):
    assert server.model_name == engine.created["environment"]["MODEL_NAME"] == "taxi"
    assert "--max_num_load_retries=0" in engine.created["command"]
    assert engine.created["command"][-1] == "--enable_batching"


def test_an_image_that_is_not_here_is_pulled(engine, tmp_path):
    engine.local, engine.registry = set(), {"image:1"}
    with DockerLauncher(TARGET).launch(tmp_path, model_name="taxi"):
        assert engine.local == {"image:1"}


def test_an_image_that_cannot_be_had_is_no_refusal(engine, tmp_path):
    engine.local = set()
    for ask in (DockerLauncher(TARGET).check, lambda: DockerLauncher(TARGET).launch(tmp_path, model_name="taxi")):
        with pytest.raises(LaunchError, match="image image:1 is not here and cannot be pulled: pull access denied"):
            ask()
    assert engine.left == {}


def test_a_container_that_does_not_start_is_removed(engine, tmp_path):
    engine.fail = APIError("no", explanation="exec: no such\nfile")
    with pytest.raises(LaunchError, match="image:1: Docker cannot do it: exec: no such file"):
        DockerLauncher(TARGET).launch(tmp_path, model_name="taxi")
    assert engine.left == {}


# The library leaves its socket open when the engine does not answer its first question.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_an_engine_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(LaunchError, match=r"no Docker engine answers \(.*start one, or choose another launcher") as caught:
        DockerLauncher(TARGET).launch(tmp_path, model_name="taxi")
    assert "\n" not in str(caught.value)
    del caught
    gc.collect()


def test_an_engine_that_goes_away_says_nothing_of_the_model(engine, server):
    engine.fail = APIError("the engine stops")
    with pytest.raises(LaunchError, match="Docker cannot do it: the engine stops"):
        _ = server.rest_address


def test_a_container_that_somebody_removed_says_nothing_of_the_model(engine, server):
    engine.left.clear()
    with pytest.raises(ServerDied, match="removed by somebody else"):
        _ = server.rest_address


def test_out_of_memory_is_told(engine, server):
    engine.state.update(Status="exited", ExitCode=137, OOMKilled=True)
    with pytest.raises(ServerDied, match="image:1: the model server was killed: out of memory") as caught:
        _ = server.rest_address
    assert caught.value.log_tail == "words"


def test_a_server_that_ended_is_told_with_its_last_words(engine, server):
    engine.state.update(Status="exited", ExitCode=3)
    with pytest.raises(ServerDied, match=r"ended with code 3 before .*: words"):
        server.wait_until_available(10)


def test_the_next_launch_removes_what_killed_ones_left(engine, tmp_path):
    me = Owner.this_process()
    engine.left = {
        "dead": replace(me, started=me.started - 100).labels(),
        "anothers": replace(me, host="elsewhere").labels(),
        "ours": me.labels(),
    }
    with DockerLauncher(TARGET).launch(tmp_path, model_name="taxi") as server:
        assert sorted(engine.left) == sorted(["anothers", "ours", server.name])


def test_what_a_killed_process_left_can_be_removed_by_name(engine, server):
    assert remove(TARGET, server.name) is True
    assert remove(TARGET, server.name) is False
    assert engine.left == {}
