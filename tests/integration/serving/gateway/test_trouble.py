"""Servers that are slow, full, gone, back, or swapped under load; callers that are too many; an end in the midst of it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from serving.launchers.readiness import wait_for
from serving.protocol import wire_pb2 as wire
from tests.integration.serving.contract.clients import HttpAnswer
from tests.integration.serving.contract.zoo import zoo
from tests.integration.serving.gateway.front import Front, gateway, upstream
from tests.integration.serving.gateway.scripted import scripted
from tests.integration.serving.server_process import running

ROW = '{"instances": [1.0]}'
PATH = "/v1/models/m:predict"


def well(request: wire.PredictRequest, context: Any) -> None:
    """Answer at once."""


@contextmanager
def asking(front: Front, callers: int = 4) -> Iterator[list[tuple[int, str]]]:
    """Callers that ask again and again while the block runs; gives (status, version) of every answer, status 0 where there was none."""
    over, answers = threading.Event(), list[tuple[int, str]]()

    def ask() -> None:
        with front.http() as client:
            while not over.is_set():
                try:
                    answer = client.post(PATH, content=ROW)
                    answers.append((answer.status_code, answer.headers.get("x-model-version", answer.text)))
                except httpx.TransportError as error:
                    answers.append((0, repr(error)))

    with ThreadPoolExecutor(callers) as pool:
        tasks = [pool.submit(ask) for _ in range(callers)]
        try:
            yield answers
        finally:
            over.set()
            for task in tasks:
                task.result()


def until(front: Front, what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    wait_for(lambda: holds() or None, front.process.poll, what=what, deadline_seconds=seconds, logs=front.log.read_text)


def bad(answers: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [answer for answer in answers if answer[0] != 200]


def test_a_slow_model_is_a_504_and_soon_left_alone_and_other_models_are_not(tmp_path):
    def answer(request: wire.PredictRequest, context: Any) -> None:
        del context
        if request.model_spec.name == "slow":
            server.held.wait(60)

    config = {
        "limits": {"timeout_seconds": 5},
        "models": {"slow": {"timeout_seconds": 0.2}},
        "breaker": {"failures": 2, "open_seconds": 30},
    }
    with scripted(answer) as server, gateway(tmp_path, {**config, **upstream(server.address)}) as front:
        seen = [front.rest.predict("slow", ROW) for _ in range(4)]
        assert [found.status for found in seen] == [504, 504, 503, 503]
        assert seen[0].error == "the model server default did not answer within 0.2 s"
        assert 25 <= int(seen[2].headers["retry-after"]) <= 30
        assert len(server.asked) == 2
        assert front.metric("sluiceway_gateway_upstream_open", upstream="default") == 1
        assert front.rest.predict("m", ROW).status == 200


def test_the_servers_own_bounds_are_a_503_and_its_faults_a_500(tmp_path):
    codes = {"full": grpc.StatusCode.RESOURCE_EXHAUSTED, "broken": grpc.StatusCode.INTERNAL, "gone": grpc.StatusCode.UNAVAILABLE}

    def answer(request: wire.PredictRequest, context: Any) -> None:
        if code := codes.get(request.model_spec.name):
            context.abort(code, "its own words")

    with scripted(answer) as server, gateway(tmp_path, upstream(server.address)) as front:
        found = {name: front.rest.predict(name, ROW) for name in codes}
    assert {name: answer.status for name, answer in found.items()} == {"full": 503, "broken": 500, "gone": 503}
    assert found["broken"].error == "its own words"
    assert {"full", "gone"} == {name for name, answer in found.items() if "retry-after" in answer.headers}


def test_who_finds_no_room_is_told_at_once_and_who_waits_is_served(tmp_path):
    def answer(request: wire.PredictRequest, context: Any) -> None:
        del request, context
        if len(server.asked) > 1:
            server.held.wait(60)

    config = {"limits": {"concurrency": 2, "queue": 3, "queue_seconds": 50}}
    with scripted(answer) as server, gateway(tmp_path, {**config, **upstream(server.address)}) as front, ThreadPoolExecutor(5) as pool:
        # With this the connection is there and the signature known: who is in afterwards is in the room or waits for it.
        assert front.rest.predict("m", ROW).status == 200
        waiting: list[Future[HttpAnswer]] = [pool.submit(front.rest.predict, "m", ROW) for _ in range(5)]
        until(front, "all were in", lambda: front.metric("sluiceway_gateway_in_flight") == 5)
        for _ in range(10):
            refused = front.rest.predict("m", ROW)
            assert (refused.status, refused.headers["retry-after"]) == (503, "50")
        assert len(server.asked) == 3
        # Another model has room of its own.
        assert front.rest.get("/v1/models/other").status == 200
        server.held.set()
        assert [task.result().status for task in waiting] == [200] * 5
        assert front.rest.predict("m", ROW).status == 200


def test_who_waits_too_long_is_told(tmp_path):
    def answer(request: wire.PredictRequest, context: Any) -> None:
        del request, context
        server.held.wait(60)

    config = {"limits": {"concurrency": 1, "queue_seconds": 0.1}}
    with scripted(answer) as server, gateway(tmp_path, {**config, **upstream(server.address)}) as front, ThreadPoolExecutor(1) as pool:
        first = pool.submit(front.rest.predict, "m", ROW)
        until(front, "the first was in", lambda: len(server.asked) == 1)
        assert front.rest.predict("m", ROW).status == 503
        server.held.set()
        assert first.result().status == 200


def test_a_server_that_goes_is_told_and_taken_back_when_it_comes_again(tmp_path):
    config = {"breaker": {"failures": 3, "open_seconds": 0.5}}
    with scripted(well) as server:
        address = server.address
    with gateway(tmp_path, {**config, **upstream(address)}) as front:
        assert front.rest.get("/readyz").status == 503
        seen = [front.rest.predict("m", ROW) for _ in range(5)]
        assert {found.status for found in seen} == {503}
        assert all("retry-after" in found.headers for found in seen)
        assert seen[0].error == "the model server default cannot be reached"
        with scripted(well, int(address.rpartition(":")[2])):
            until(front, "it answered again", lambda: front.rest.predict("m", ROW).status == 200)
            assert front.rest.get("/readyz").status == 200
            assert front.metric("sluiceway_gateway_upstream_open", upstream="default") == 0


def test_a_real_server_that_is_killed_and_comes_back(tmp_path):
    base = tmp_path / "m"
    shutil.copytree(zoo() / "half_plus_two", base / "1")
    scratch = tmp_path / "server"
    scratch.mkdir()
    with running(base, scratch, "--rest_api_port=0") as server:
        port = int(server.grpc_address.rpartition(":")[2])
        with gateway(tmp_path / "front", {**upstream(server.grpc_address), "breaker": {"open_seconds": 0.2}}) as front:
            until(front, "it answered", lambda: front.rest.predict("m", ROW).status == 200)
            server.process.kill()
            server.process.wait()
            assert front.rest.predict("m", ROW).status == 503
            (scratch / "ports.json").unlink()
            with running(base, scratch, f"--port={port}", "--rest_api_port=0"):
                until(front, "it answered again", lambda: front.rest.predict("m", ROW).status == 200)
            assert "Traceback" not in front.log.read_text()


def publish(base: Path, number: int, name: str) -> None:
    """A version that appears in one piece."""
    staged = base / f".{number}"
    shutil.copytree(zoo() / name, staged)
    staged.rename(base / str(number))


def test_versions_are_swapped_under_load_without_a_lost_request(tmp_path):
    base = tmp_path / "m"
    base.mkdir()
    publish(base, 1, "half_plus_two")
    scratch = tmp_path / "server"
    scratch.mkdir()
    with running(base, scratch, "--rest_api_port=0") as server, gateway(tmp_path / "front", upstream(server.grpc_address)) as front:
        until(front, "version 1 was there", lambda: front.rest.predict("m", ROW).status == 200)
        with asking(front) as answers:
            until(front, "all were asking", lambda: len(answers) > 20)
            for number in range(2, 7):
                publish(base, number, "half_plus_three" if number % 2 else "half_plus_two")
                until(front, f"version {number} answered", lambda expected=str(number): (200, expected) in answers[-20:])
        assert bad(answers) == []
        assert {version for _, version in answers} == {str(number) for number in range(1, 7)}
        assert front.metric("sluiceway_gateway_in_flight", model="m") == 0


def test_the_configuration_is_changed_while_requests_run(tmp_path):
    with scripted(well) as one, scripted(well) as other, gateway(tmp_path, upstream(one.address)) as front:
        with asking(front) as answers:
            for failures in range(10, 16):
                server = (one, other)[failures % 2]
                front.put_in_force({**upstream(server.address), "breaker": {"failures": failures}, "limits": {"concurrency": failures}})
        assert bad(answers) == []
        assert len(one.asked) > 0
        assert len(other.asked) > 0


def test_requests_under_way_are_answered_before_the_end(tmp_path):
    def answer(request: wire.PredictRequest, context: Any) -> None:
        del request, context
        server.held.wait(60)

    with (
        scripted(answer) as server,
        gateway(tmp_path, upstream(server.address)) as front,
        ThreadPoolExecutor(4) as pool,
        front.http() as idle,
    ):
        assert idle.get("/healthz").status_code == 200
        tasks = [pool.submit(front.rest.predict, "m", ROW) for _ in range(4)]
        until(front, "all were in", lambda: len(server.asked) == 4)
        front.process.terminate()
        until(front, "no new caller was taken", lambda: refused(front))
        assert front.process.poll() is None
        server.held.set()
        assert [task.result().status for task in tasks] == [200] * 4
        assert front.process.wait(30) == 0
    assert Counter(line["status"] for line in front.lines() if line.get("model") == "m") == {200: 4}


def refused(front: Front) -> bool:
    try:
        front.rest.get("/healthz")
    except (ConnectionError, OSError):
        return True
    return False


def test_the_end_does_not_wait_longer_than_it_may(tmp_path):
    def answer(request: wire.PredictRequest, context: Any) -> None:
        del request, context
        server.held.wait(60)

    config = {"limits": {"drain_seconds": 0.5}}
    with scripted(answer) as server, gateway(tmp_path, {**config, **upstream(server.address)}) as front, ThreadPoolExecutor(1) as pool:
        task = pool.submit(front.rest.predict, "m", ROW)
        until(front, "it was in", lambda: len(server.asked) == 1)
        assert front.end(30) == 0
        assert task.exception() is not None or task.result().status >= 500
        server.held.set()


@pytest.mark.parametrize("path", ["/models", "/models/m"])
def test_a_server_that_says_nothing_does_not_hold_the_page_up(tmp_path, path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = {**upstream(f"127.0.0.1:{silent.getsockname()[1]}"), "models": {"m": {}}}
        with gateway(tmp_path, config) as front, front.http() as client:
            answer = client.get(path, timeout=20)
            assert answer.status_code in (200, 503, 504)
            assert "the model server default" in answer.text
