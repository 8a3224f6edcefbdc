"""Several processes behind the same ports are one server: to its clients, to its operator, and to the process table."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
import pytest

from serving.launchers.readiness import wait_for
from serving.protocol import wire_pb2 as wire
from serving.server.schemas import model_configs, pool
from tests.integration.serving.contract.clients import Rest
from tests.integration.serving.server_process import ServerProcess, running
from tests.integration.serving.small_model import saved_model

BODY = json.dumps({"instances": [{"x": 1.0, "n": 1, "k": "a"}]})
# So many new connections, shared out by the kernel, that each worker gets some: the chance of a miss is 2 to the power of -39.
MANY = 40
RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
METRICS = "/metrics"


def until(condition: Callable[[], object], what: str, server: ServerProcess | None = None) -> None:
    code, logs = (server.process.poll, server.log.read_text) if server else (lambda: None, str)
    wait_for(lambda: True if condition() else None, code, what=what, deadline_seconds=60, logs=logs)


def publish(base: Path, version: int, model: str = "plain") -> None:
    """As a store does it: a copy under a name that is no version, then one rename."""
    base.mkdir(exist_ok=True)
    staged = base / f"staged-{version}"
    shutil.copytree(saved_model(model), staged)
    staged.rename(base / str(version))


def workers(server: ServerProcess) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


def listening(server: ServerProcess) -> set[int]:
    """The workers whose REST port is open."""
    port, found = Rest(server.rest_address).port, set()
    for one in workers(server):
        try:
            sockets = one.net_connections("tcp")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets):
            found.add(one.pid)
    return found


def predict(server: ServerProcess, path: str = "m") -> int:
    """The status of a prediction on a connection of its own."""
    return Rest(server.rest_address).predict(path, BODY).status


def state(server: ServerProcess, version: int, model: str = "m") -> str:
    answer = Rest(server.rest_address).get(f"/v1/models/{model}/versions/{version}")
    return str(json.loads(answer.body)["model_version_status"][0]["state"]) if answer.status == 200 else "UNKNOWN"


@contextmanager
def two(base: Path, scratch: Path, *flags: str) -> Iterator[ServerProcess]:
    """A server of two workers; nothing of it is left at the end."""
    with running(base, scratch, "--workers=2", *flags) as server:
        family = workers(server)
        try:
            until(lambda: state(server, 1) == "AVAILABLE", "version 1 is available", server)
            yield server
        finally:
            family += workers(server) if server.process.poll() is None else []
    _, alive = psutil.wait_procs(family, 30)
    for one in alive:
        one.kill()
    assert not alive, "workers outlived their server"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model with one version. Tests that change it make their own."""
    made = tmp_path_factory.mktemp("store") / "m"
    publish(made, 1)
    return made


@pytest.fixture(scope="module")
def server(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for the tests that do it no harm."""
    scratch = tmp_path_factory.mktemp("server")
    (scratch / "monitoring").write_text(f'prometheus_config {{ enable: true path: "{METRICS}" }}')
    with two(base, scratch, f"--monitoring_config_file={scratch}/monitoring") as made:
        yield made


def test_both_workers_answer(server):
    port = Rest(server.rest_address).port
    connections = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(MANY)]
    request = f"POST /v1/models/m:predict HTTP/1.1\r\nHost: here\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    for one in connections:
        one.sendall(request)
    assert {one.recv(15) for one in connections} == {b"HTTP/1.1 200 OK"}
    answering = {
        one.pid
        for one in workers(server)
        for each in one.net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.laddr.port == port
    }
    assert len(answering) == len(workers(server)) == 2
    for one in connections:
        one.close()


def test_metrics_are_the_sum_whoever_is_asked(server):
    rest = Rest(server.rest_address)
    line = ':tensorflow:serving:request_count{model_name="m",status="OK",model_version="1"} '

    def count() -> int:
        return next((int(each.removeprefix(line)) for each in rest.get(METRICS).text.splitlines() if each.startswith(line)), 0)

    # A request is counted when it has been answered, so what came before may still be on its way.
    until(lambda: (before := count()) == count() and before >= 0, "the count stands still", server)
    before = count()
    assert {predict(server) for _ in range(MANY)} == {200}
    until(lambda: count() == before + MANY, "all are counted", server)
    assert {count() for _ in range(MANY)} == {before + MANY}


def test_every_worker_knows_the_whole_server(server):
    rest = Rest(server.rest_address)
    assert {rest.get("/v1/models/m").body for _ in range(MANY)} == {rest.get("/v1/models/m").body}
    assert {rest.get("/readyz").status for _ in range(MANY)} == {200}


@pytest.mark.parametrize("count", [1, 2])
def test_a_second_server_on_the_same_ports_is_refused_in_one_line(server, base, tmp_path, count):
    grpc_port, rest_port = server.grpc_address.rpartition(":")[2], Rest(server.rest_address).port
    ports = [f"--port={grpc_port}", f"--rest_api_port={rest_port}", f"--ports_file={tmp_path}/ports"]
    command = [sys.executable, "-m", "serving.server", f"--model_base_path={base}", f"--workers={count}", *ports]
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 255
    (line,) = again.stdout.splitlines()
    assert line.startswith(f"Failed to start server. Error: cannot listen on 127.0.0.1:{grpc_port}")
    assert not (tmp_path / "ports").exists()
    assert "Traceback" not in again.stderr
    assert predict(server) == 200


def test_a_version_that_is_said_to_be_available_is_so_in_every_worker(tmp_path):
    publish(tmp_path / "m", 1)
    with two(tmp_path / "m", tmp_path) as server:
        publish(tmp_path / "m", 2, "doubled")
        until(lambda: state(server, 2) == "AVAILABLE", "version 2 is available", server)
        assert {predict(server, "m/versions/2") for _ in range(MANY)} == {200}


def test_a_killed_worker_comes_back_and_no_request_is_lost_for_good(base, tmp_path):
    with two(base, tmp_path) as server:
        done = threading.Event()

        def keep_asking() -> set[int]:
            """What was answered; a request that was cut off is sent again, as clients do."""
            seen = set()
            while not done.is_set():
                for attempt in range(3):
                    try:
                        seen.add(predict(server))
                        break
                    except (ConnectionError, OSError):
                        assert attempt < 2, "cut off three times"
            return seen

        before = listening(server)
        with ThreadPoolExecutor(2) as pool:
            askers = [pool.submit(keep_asking) for _ in range(2)]
            try:
                for victim in before:  # in turn, so that each has been the only one to answer
                    os.kill(victim, signal.SIGKILL)
                    until(lambda v=victim: v not in listening(server) and len(listening(server)) == 2, "two workers listen", server)
            finally:
                done.set()
            assert [asker.result(60) for asker in askers] == [{200}, {200}]
        assert not listening(server) & before
        assert {predict(server) for _ in range(MANY)} == {200}
        assert server.log.read_text().count("starting it again") == 2


def config_of(root: Path, *names: str) -> bytes:
    message = pool.new(model_configs.MESSAGE)
    message.model_config_list.SetInParent()
    for name in names:
        message.model_config_list.config.add(name=name, base_path=str(root / name), model_platform="tensorflow")
    return bytes(message.SerializeToString())


def reload(server: ServerProcess, config: bytes, *metrics: str) -> wire.ReloadConfigResponse:
    with grpc.insecure_channel(server.grpc_address) as channel:
        call = channel.unary_unary(
            RELOAD, request_serializer=lambda m: m.SerializeToString(), response_deserializer=wire.ReloadConfigResponse.FromString
        )
        return call(wire.ReloadConfigRequest(config=config, metric_names=metrics), timeout=60)


def test_a_reload_reaches_every_worker_also_one_that_starts_later(tmp_path):
    loads = "/tensorflow/cc/saved_model/load_attempt_count"
    for name in ("m", "n"):
        publish(tmp_path / name, 1)
    with two(tmp_path / "m", tmp_path) as server:
        assert predict(server, "n") == 404
        answer = reload(server, config_of(tmp_path, "n"), loads)
        assert {metric.name: metric.int64_value_increase for metric in answer.metric} == {loads: 2}
        assert {predict(server, "n") for _ in range(MANY)} == {200}
        for victim in listening(server):
            os.kill(victim, signal.SIGKILL)
        until(lambda: len(listening(server)) == 2, "two workers listen", server)
        until(lambda: state(server, 1, "n") == "AVAILABLE", "n is available", server)
        assert {predict(server, "n") for _ in range(MANY)} == {200}
        assert {predict(server, "m") for _ in range(MANY)} == {404}


def test_a_reload_that_is_refused_is_forgotten(tmp_path):
    publish(tmp_path / "m", 1)
    with two(tmp_path / "m", tmp_path) as server:
        with pytest.raises(grpc.RpcError) as caught:
            reload(server, config_of(tmp_path, "m", "m"))
        assert caught.value.code().name == "INVALID_ARGUMENT"
        victim = min(listening(server))
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in listening(server) and len(listening(server)) == 2, "two workers listen", server)
        assert {predict(server) for _ in range(MANY)} == {200}


def test_sigterm_lets_requests_under_way_finish_and_leaves_nothing(base, tmp_path):
    head = f"POST /v1/models/m:predict HTTP/1.1\r\nHost: here\r\nContent-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode()
    with two(base, tmp_path, "--drain_seconds=60") as server:
        family, port = workers(server), Rest(server.rest_address).port
        connections = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(8)]
        for one in connections:
            one.sendall(head)
        for one in connections:
            assert one.recv(1024).startswith(b"HTTP/1.1 100 ")  # the request has begun, and waits for its body
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.log.read_text().count("stopping: no new requests") == 2, "both stop")
        with pytest.raises(ConnectionRefusedError):
            until(lambda: socket.create_connection(("127.0.0.1", port), timeout=60).close(), "the port is closed")
        for one in connections:
            one.sendall(BODY.encode())
        assert {one.recv(15) for one in connections} == {b"HTTP/1.1 200 OK"}
        for one in connections:
            one.close()
        assert server.process.wait(60) == 0
        assert psutil.wait_procs(family, 0)[1] == []


@pytest.mark.parametrize("victim", ["supervisor", "parent"])
def test_workers_end_with_whom_they_work_for(base, tmp_path, victim):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        flags = [f"--parent_pid={parent.pid}"] if victim == "parent" else []
        with two(base, tmp_path, *flags) as server:
            family = workers(server)
            assert len(family) == 2
            (parent if victim == "parent" else server.process).kill()
            assert psutil.wait_procs([*family, psutil.Process(server.process.pid)] if victim == "parent" else family, 30)[1] == []
        parent.kill()
