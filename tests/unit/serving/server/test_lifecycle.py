"""What a server process opens in which order, and how it ends; models are fakes, ports and signals are real."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configs.errors import SluicewayError, UsageError
from serving.protocol.status import StatusError
from serving.server import lifecycle, savedmodel
from serving.server.flags import Flags
from serving.server.lifecycle import Membership
from serving.server.manager import StartFailed
from serving.server.model_config import ModelConfig
from serving.server.ports import Ports
from tests.fakes.servable import FakeServable
from tests.fakes.versions import make_version


@pytest.fixture(autouse=True)
def quiet(tmp_path, monkeypatch) -> Iterator[None]:
    """No TensorFlow, a file ``now`` once signals are handled, and the handlers of before when the test is over."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(savedmodel, "import_runtime", lambda **_: (tmp_path / "now").touch() or "2.0")
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def loads(monkeypatch, load: Callable[[Path], FakeServable] = lambda _: FakeServable()) -> None:
    monkeypatch.setattr(savedmodel, "load", lambda path, _: load(path))


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def when_there(path: Path, then: Callable[[], object]) -> threading.Thread:
    """Do something once a file appears; a signal after ten seconds, so that no test hangs."""

    def wait() -> None:
        for _ in range(5000):
            if path.exists():
                break
            threading.Event().wait(0.002)
        try:
            then()
        finally:
            terminate()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def flags(root: Path, **more: Any) -> Flags:
    given = {
        "port": 0,
        "model_name": "m",
        "model_base_path": str(root / "m"),
        "file_system_poll_wait_seconds": 0.01,
        "enable_profiler": False,
    }
    return Flags(**(given | {"drain_seconds": 1.0} | more))  # type: ignore[arg-type]


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_in_order(tmp_path, monkeypatch, caplog, number):
    loads(monkeypatch)
    make_version(tmp_path / "m", 1)
    caplog.set_level("INFO")
    seen: list[bool] = []

    def look() -> None:
        try:
            ports = json.loads((tmp_path / "ports").read_text())
            seen.extend(connects(ports[name]) for name in ("grpc", "rest"))
        finally:  # else the server would wait for it for ever
            os.kill(os.getpid(), number)

    thread = when_there(tmp_path / "ports", look)
    lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports"))
    thread.join()
    assert seen == [True, True]
    assert not any(connects(json.loads((tmp_path / "ports").read_text())[name]) for name in ("grpc", "rest"))
    assert "TensorFlow 2.0 ready" in caplog.text
    assert "stopping: no new requests, up to 1 s for those under way" in caplog.text


def test_with_a_ports_file_ports_open_before_a_model_is_there(tmp_path, monkeypatch):
    told = tmp_path / "ports"

    def load(_: Path) -> FakeServable:
        assert told.exists()
        return FakeServable()

    loads(monkeypatch, load)
    make_version(tmp_path / "m", 1)
    thread = when_there(told, lambda: None)
    lifecycle.run(flags(tmp_path, ports_file=told))
    thread.join()


def test_without_one_a_model_is_there_before_ports_open(tmp_path, monkeypatch):
    path = tmp_path / "socket"

    def load(_: Path) -> FakeServable:
        assert not path.exists()
        return FakeServable()

    loads(monkeypatch, load)
    make_version(tmp_path / "m", 1)
    thread = when_there(path, lambda: None)
    lifecycle.run(flags(tmp_path, grpc_socket_path=str(path)))
    thread.join()


def test_a_signal_while_models_load_ends_the_wait(tmp_path):
    (tmp_path / "m").mkdir()
    thread = when_there(tmp_path / "now", lambda: None)
    lifecycle.run(flags(tmp_path, grpc_socket_path=f"{tmp_path}/socket"))
    thread.join()
    assert not (tmp_path / "socket").exists()


def test_a_model_that_cannot_be_loaded_is_no_start(tmp_path, monkeypatch):
    def load(path: Path) -> FakeServable:
        raise ValueError(f"{path.name} is odd")

    loads(monkeypatch, load)
    make_version(tmp_path / "m", 1)
    with pytest.raises(StartFailed, match="due to error: INTERNAL: ValueError: 1 is odd"):
        lifecycle.run(flags(tmp_path, grpc_socket_path=f"{tmp_path}/socket", max_num_load_retries=0))


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"rest_api_port": 70_000, "port": 1}, UsageError, "--rest_api_port=70000 is not between 0 and 65535"),
        ({"model_base_path": "", "port": 1}, StatusError, "Both server_options.model_base_path and"),
        ({"model_config_file": "gone", "port": 1}, StatusError, "gone; No such file or directory"),
        ({"ssl_config_file": "gone", "ports_file": Path("ports")}, SluicewayError, "gone; No such file or directory"),
        ({"ports_file": Path("no/ports")}, SluicewayError, "--ports_file=no/ports cannot be written"),
    ],
)
def test_what_cannot_be_served_is_one_error(tmp_path, monkeypatch, more, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    with pytest.raises(error, match=message):
        lifecycle.run(flags(tmp_path, **more))


def test_flags_without_effect_are_said(tmp_path, caplog):
    (tmp_path / "m").mkdir()
    caplog.set_level("INFO")
    thread = when_there(tmp_path / "now", lambda: None)
    lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports", skip_initialize_tpu=True))
    thread.join()
    assert "--skip_initialize_tpu=True has no effect" in caplog.text


@pytest.mark.parametrize("second", ["m", "never"])
def test_a_changed_config_file_is_applied_while_the_server_runs_and_waits_for_no_model(tmp_path, monkeypatch, caplog, second):
    monkeypatch.setattr(lifecycle, "_APPLY_SECONDS", 0.01)
    loads(monkeypatch)
    make_version(tmp_path / "m", 1)
    applied: list[tuple[str, ...]] = []
    file = tmp_path / "models"

    def entry(name: str, folder: str) -> str:
        return f'model_config_list {{ config {{ name: "{name}" base_path: "{tmp_path}/{folder}" model_platform: "tensorflow" }} }}'

    class Now(lifecycle.ConfigFile):
        """Looks when it starts instead of after seconds."""

        def start(self) -> None:
            file.write_text(entry("b", second))
            self.look()

    monkeypatch.setattr(lifecycle, "ConfigFile", Now)
    follow = lifecycle.Parts.follow
    monkeypatch.setattr(
        lifecycle.Parts, "follow", lambda parts, configs: applied.append(tuple(one.name for one in configs)) or follow(parts, configs)
    )
    file.write_text(entry("a", "m"))
    thread = when_there(tmp_path / "ports", lambda: None)
    lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports", model_config_file=str(file), model_config_file_poll_wait_seconds=1))
    thread.join()
    assert applied == [("a",), ("b",)]
    assert "stays in force" not in caplog.text


class Team:
    """What a worker is told; ``others``: the models that the other workers answer for."""

    def __init__(self, *others: str, again: bool = False, configs: tuple[ModelConfig, ...] | None = None) -> None:
        self.others, self.listened, self.local = others, 0, None
        self.membership = Membership(Ports(0, 0), self._share, self._listening, configs, again)

    def _share(self, local: Any, metrics: Any) -> Any:
        del metrics
        self.local = local
        return self

    def _listening(self) -> None:
        self.listened += 1
        terminate()

    def unready(self, model: str | None) -> str | None:
        return None if model in self.others else "nobody has it"


def test_a_worker_says_that_it_listens_and_leaves_the_ports_file_to_its_supervisor(tmp_path, monkeypatch):
    loads(monkeypatch)
    make_version(tmp_path / "m", 1)
    for more in ({"ports_file": tmp_path / "ports"}, {"grpc_socket_path": f"{tmp_path}/socket"}):
        team = Team()
        lifecycle.run(flags(tmp_path, **more), team.membership)
        assert team.listened == 1
    assert not (tmp_path / "ports").exists()


def test_a_worker_whose_models_are_refused_never_said_that_it_listens(tmp_path):
    team = Team(configs=(ModelConfig("m", str(tmp_path)), ModelConfig("m", str(tmp_path))))
    with pytest.raises(StartFailed):
        lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports"), team.membership)
    assert team.listened == 0


def test_a_worker_that_comes_late_answers_for_what_the_others_answer_for_before_it_listens(tmp_path, monkeypatch):
    order: list[str] = []

    def load(path: Path) -> FakeServable:
        if path.parent.name == "broken":
            raise ValueError("odd")
        order.append(path.parent.name)
        return FakeServable()

    loads(monkeypatch, load)
    for name in ("m", "broken"):
        make_version(tmp_path / name, 1)
    (tmp_path / "empty").mkdir()
    team = Team("m", again=True, configs=tuple(ModelConfig(name, str(tmp_path / name)) for name in ("broken", "empty", "m")))
    monkeypatch.setattr(lifecycle.Listeners, "__init__", _noting(order, lifecycle.Listeners.__init__))
    lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports", max_num_load_retries=0), team.membership)
    assert order == ["m", "ports"]
    assert team.listened == 1


def _noting(order: list[str], real: Callable[..., None]) -> Callable[..., None]:
    def init(*arguments: Any) -> None:
        order.append("ports")
        real(*arguments)

    return init


def test_a_worker_that_comes_late_can_be_stopped_while_it_waits(tmp_path):
    (tmp_path / "m").mkdir()
    team = Team("m", again=True)
    thread = when_there(tmp_path / "now", lambda: None)
    lifecycle.run(flags(tmp_path, ports_file=tmp_path / "ports"), team.membership)
    thread.join()
    assert team.listened == 0
