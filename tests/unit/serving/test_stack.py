"""What ``up`` starts: checked before anything runs, and each child with no more than it needs."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import convert

from configs.environment import EnvironmentConfig
from configs.errors import SluicewayError, UsageError
from configs.gateway import GatewayConfig, Keys
from serving import stack
from serving.server.orphan import MARKER
from serving.stack import Stack, gateway_config
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.unit.serving.stack_child import Child

TOLD_BY_SERVER = """2026-11-27 17:37:45,003 INFO TensorFlow ready in 0.29 s
2026-11-27 17:37:45,004 ERROR load of leaves version 1 failed: DATA_LOSS: it was changed
"""
TOLD_BY_GATEWAY = """{"at": "now", "path": "/ ERROR "}
Started server process [7]
WARNING models.leaves: arm version 7 is not served; its users get 404
"""


def environment(state: Path, **changes: Any) -> EnvironmentConfig:
    server = {"grpc_port": 0, "rest_port": 0, **changes.pop("server", {})}
    return convert(
        {"state": str(state), "server": server, "gateway": {"port": 0, **changes.pop("gateway", {})}, **changes}, EnvironmentConfig
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_text("ok")
    LocalStore(tmp_path / "state" / "store").publish("leaves", model, Identity("run", "leaves"))
    return tmp_path / "state"


@pytest.fixture
def children(monkeypatch):
    """Children in the order of their start; ``codes``: how each ends at once, None: it lives."""
    started: list[Child] = []
    codes: list[int | None] = [None, None]

    def popen(arguments: list[str], *, stdout: Any = None, **options: Any) -> Child:
        started.append(Child(arguments, codes[len(started)], stdout, **options))
        return started[-1]

    monkeypatch.setattr(stack.subprocess, "Popen", popen)
    monkeypatch.setattr(stack, "_LOOK_SECONDS", 0.001)
    return started, codes


def run(
    chosen: EnvironmentConfig,
    monkeypatch: pytest.MonkeyPatch,
    models: list[str] | None = None,
    *,
    until: str = "Ctrl-C stops",
    meanwhile: Callable[[], object] = lambda: None,
) -> list[str]:
    """Until it says so; then somebody stops it. ``meanwhile``: called once both run."""
    said: list[str] = []
    stops: list[threading.Event] = []
    monkeypatch.setattr(stack, "end_on_signals", stops.append)

    def say(text: str) -> None:
        said.append(text)
        if text == "Ctrl-C stops":
            meanwhile()
        if text.startswith(until):
            stops[0].set()

    Stack(chosen, Path(chosen.state) / "store", models, verbose=False, say=say).run()
    return said


def test_it_starts_both_says_where_and_stops_the_gateway_first(state, children, monkeypatch):
    started, _ = children
    said = run(environment(state), monkeypatch)
    assert said == [
        "model server: leaves ...",
        "page   http://localhost:8080/",
        "REST   http://localhost:8080/v1/models/leaves:predict",
        "gRPC   127.0.0.1:8501   (the model server itself)",
        "Ctrl-C stops",
        "stopped",
    ]
    server, gateway = started
    assert [child.signals for child in started] == [[15], [15]]
    assert MARKER in server.folder
    assert MARKER in gateway.folder
    assert server.value("parent_pid") == gateway.value("parent-pid") == str(os.getpid())
    for child, place in ((server, server.value("remove_on_exit")), (gateway, gateway.value("remove-on-exit"))):
        assert child.options["start_new_session"] is True
        assert not Path(place).exists()


def test_the_gateway_asks_the_server_that_was_started(state, children, monkeypatch):
    seen: list[GatewayConfig] = []

    class Looking(Child):
        def __init__(self, arguments: list[str], code: int | None, log: Any, **options: Any) -> None:
            super().__init__(arguments, code, log, **options)
            if self.value("config"):
                seen.append(convert(yaml.safe_load(Path(self.value("config")).read_text()), GatewayConfig))

    started, codes = children
    monkeypatch.setattr(
        stack.subprocess,
        "Popen",
        lambda arguments, *, stdout=None, **options: started.append(Looking(arguments, codes[0], stdout, **options)) or started[-1],
    )
    monkeypatch.chdir(state)
    (state / "keys.yaml").write_text("{}")
    run(environment(state, gateway={"user_header": "x-visitor", "keys": {"file": "keys.yaml"}}), monkeypatch)
    (config,) = seen
    assert config.keys == Keys(file=str(state / "keys.yaml")), "relative to where it was called"
    assert config.upstreams["default"].grpc == "127.0.0.1:8501"
    assert (config.store, config.user_header) == (str(state / "store"), "x-visitor")


def test_only_the_gateway_gets_our_variables(state, children, monkeypatch):
    monkeypatch.setenv("GATEWAY_KEYS", "hush")
    run(environment(state), monkeypatch)
    server, gateway = children[0]
    assert "GATEWAY_KEYS" not in server.options["env"]
    assert gateway.options["env"]["GATEWAY_KEYS"] == "hush"


@pytest.mark.parametrize(("code", "kind"), [(1, SluicewayError), (2, UsageError)])
@pytest.mark.parametrize(("which", "name"), [(0, "model server"), (1, "gateway")])
def test_one_that_ends_ends_the_other_with_its_last_words(state, children, monkeypatch, which, name, code, kind):
    started, codes = children
    codes[which] = code
    with pytest.raises(SluicewayError) as caught:
        run(environment(state), monkeypatch)
    assert type(caught.value) is kind
    assert str(caught.value) == f"the {name} ended with code {code}: first / last words"
    if which == 1:
        assert started[0].signals == [15]


def test_one_that_is_killed_is_told_by_its_signal_and_not_with_its_log(state, children, monkeypatch):
    started, codes = children
    codes[1] = -9
    with pytest.raises(SluicewayError) as caught:
        run(environment(state), monkeypatch)
    assert str(caught.value) == "the gateway was ended by signal 9 (Killed), so both are stopped"
    assert started[0].signals == [15]


def test_what_somebody_should_know_is_said_and_nothing_else(state, children, monkeypatch):
    started, _ = children

    def speak() -> None:
        for child, text in zip(started, (TOLD_BY_SERVER, TOLD_BY_GATEWAY), strict=True):
            child.log.write(text.encode())
            child.log.flush()

    said = run(environment(state), monkeypatch, until="gateway: ", meanwhile=speak)
    assert said[said.index("Ctrl-C stops") + 1 : -1] == [
        "model server: load of leaves version 1 failed: DATA_LOSS: it was changed",
        "gateway: models.leaves: arm version 7 is not served; its users get 404",
    ]


def test_a_model_that_is_published_for_the_first_time_is_taken_on(state, children, monkeypatch):
    monkeypatch.setattr(stack, "_STORE_SECONDS", 0.0)
    started, _ = children
    files: list[str] = []

    def publish() -> None:
        LocalStore(state / "store").publish("housing", state.parent / "model", Identity("run", "housing"))

    until = "model server: housing, too"
    monkeypatch.setattr(
        Child, "send_signal", lambda child, _: files.append(Path(child.value("model_config_file") or os.devnull).read_text())
    )
    said = run(environment(state), monkeypatch, until=until, meanwhile=publish)
    assert f"{until} ..." in said
    assert {"housing", "leaves"} <= set(re.findall(r'name: "(\w+)"', "".join(files)))
    assert started[0].value("model_config_file_poll_wait_seconds") == "0"


def test_of_models_that_were_named_no_other_is_taken_on(state, children, monkeypatch):
    monkeypatch.setattr(stack, "_STORE_SECONDS", 0.0)
    assert children
    chosen = environment(state)
    LocalStore(state / "store").publish("housing", state.parent / "model", Identity("run", "housing"))
    running = Stack(chosen, state / "store", ["leaves"], verbose=False, say=list[str]().append)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    running._wait(stop, state / "models.config")
    assert not (state / "models.config").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"server": {"grpc_port": 29, "rest_port": 29}}, "server.rest_port: 29 is server.grpc_port, too; give another"),
        ({"gateway": {"keys": {"file": "/nowhere"}}}, "gateway.keys.file: /nowhere cannot be read: No such file or directory"),
        ({"gateway": {"models": {"m": {"upstream": "x"}}}}, "gateway.models.m.upstream: no upstream 'x'; there are: default"),
    ],
)
def test_what_would_end_one_of_them_is_told_before_anything_starts(state, children, monkeypatch, changes, told):
    monkeypatch.setattr(stack, "_check_free", lambda *_: None)
    with pytest.raises(UsageError) as caught:
        run(environment(state, **changes), monkeypatch)
    assert str(caught.value) == told
    assert children[0] == []


def test_who_names_a_model_server_is_told_that_it_is_not_asked(state, children, monkeypatch):
    assert children
    said = run(environment(state, gateway={"upstreams": {"default": {"grpc": "models.example:8500"}}}), monkeypatch)
    assert said[0].startswith("gateway.upstreams.default: not asked")


@pytest.mark.parametrize("key", ["server.grpc_port", "server.rest_port", "gateway.port"])
def test_a_port_that_is_taken_is_told_before_anything_starts(state, children, monkeypatch, key):
    section, _, name = key.partition(".")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as caught:
            run(environment(state, **{section: {name: port}}), monkeypatch)
    assert str(caught.value) == f"{key}: 127.0.0.1:{port} is taken; stop who has it, or give another: --set {key}={port + 1}"
    assert children[0] == []


def test_an_address_that_is_not_here_is_told(state, monkeypatch):
    with pytest.raises(UsageError, match=r"gateway.port: 192\.0\.2\.1:9 cannot be listened on"):
        run(environment(state, gateway={"host": "192.0.2.1", "port": 9}), monkeypatch)


@pytest.mark.parametrize(
    ("models", "saying"),
    [(None, "nothing is published"), (["taxi"], "taxi has no published version"), (["leaves", "taxi"], "publish one: sluiceway run taxi")],
)
def test_nothing_to_serve_is_told(tmp_path, state, models, saying):
    chosen = environment(tmp_path / "empty" if models is None else state)
    with pytest.raises(UsageError, match=saying):
        Stack(chosen, Path(chosen.state) / "store", models, verbose=False, say=print)


def test_a_stop_while_the_server_loads_starts_no_gateway(state, monkeypatch):
    stops: list[threading.Event] = []
    started: list[Any] = []
    monkeypatch.setattr(stack, "end_on_signals", stops.append)

    class Loading:
        def __init__(self) -> None:
            self.signals: list[int] = []

        def poll(self) -> int | None:
            stops[0].set()
            return 0 if self.signals else None

        def send_signal(self, number: int) -> None:
            self.signals.append(number)

        def wait(self, timeout: float) -> int:
            del timeout
            return 0

    monkeypatch.setattr(stack.subprocess, "Popen", lambda *_, **__: started.append(Loading()) or started[-1])
    said: list[str] = []
    Stack(environment(state), state / "store", None, verbose=False, say=said.append).run()
    assert said == ["model server: leaves ...", "stopped"]
    assert (len(started), started[0].signals) == (1, [15])


def test_an_environment_that_names_its_own_servers_and_store_keeps_them(tmp_path):
    chosen = environment(tmp_path, gateway={"store": "/elsewhere", "upstreams": {"far": {"grpc": "far:8500"}}})
    assert gateway_config(chosen, tmp_path) == chosen.gateway
    plain = gateway_config(environment(tmp_path, server={"grpc_port": 9500}), tmp_path)
    assert (plain.store, plain.upstreams["default"].grpc) == (str(tmp_path), "127.0.0.1:9500")
    assert gateway_config(environment(tmp_path), tmp_path / "nowhere").store is None


@pytest.mark.parametrize(
    ("host", "asked"), [("127.0.0.1", "127.0.0.1:8500"), ("0.0.0.0", "127.0.0.1:8500"), ("::", "[::1]:8500"), ("::1", "[::1]:8500")]
)
def test_a_server_is_asked_where_it_listens(state, host, asked):
    chosen = environment(state, server={"host": host, "grpc_port": 8500})
    assert gateway_config(chosen, state / "store").upstreams["default"].grpc == asked
