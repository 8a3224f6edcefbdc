"""A worker's answers about itself, and its questions about all."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server import prometheus
from serving.server.metrics import Metrics
from serving.server.workers.channel import Channel
from serving.server.workers.member import Member, from_plain, to_plain

STATUSES = [VersionStatus(2, State.END, Code.DATA_LOSS, "ä lost"), VersionStatus(1, State.AVAILABLE)]
COUNT = "/tensorflow/serving/request_count"


class Local:
    """A process by itself."""

    def __init__(self) -> None:
        self.reloads: list[tuple[bytes, float | None]] = []

    def statuses(self, model: str, version: int | None) -> list[VersionStatus]:
        if model != "m":
            raise StatusError(Code.NOT_FOUND, f"no {model}")
        return [status for status in STATUSES if version in (None, status.version)]

    def reload(self, serialized: bytes, timeout: float | None) -> None:
        self.reloads.append((serialized, timeout))

    def unready(self, model: str | None) -> str | None:
        return None if model == "m" else f"not {model}"


class Office:
    """A member, and the supervisor's end of its channel."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.asked: list[tuple[str, Any]] = []
        self.told = threading.Event()
        self.answers: dict[str, Any] = {}
        self.local, self.metrics = Local(), Metrics()
        self.channel = Channel(ours, self._answer)
        self.member = Member(theirs)

    def _answer(self, what: str, about: Any) -> Any:
        self.asked.append((what, about))
        if what == "listening":
            self.told.set()
        answer = self.answers.get(what)
        if isinstance(answer, list) and what == "metrics":
            return answer.pop(0)
        return answer

    def join(self) -> None:
        assert self.member.join(self.local, self.metrics) is self.member  # type: ignore[arg-type]


@pytest.fixture
def office(monkeypatch) -> Iterator[Office]:
    left, ended = threading.Event(), []
    monkeypatch.setattr(os, "_exit", lambda code: ended.append(code) or left.set())
    made = Office()
    yield made
    made.channel.close()
    assert left.wait(10), "a worker must not outlive its supervisor"
    assert ended == [0]


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_survives_the_way(status):
    assert from_plain(to_plain(status)) == status


def test_before_it_has_joined_a_worker_knows_nothing(office):
    with pytest.raises(StatusError, match="this process of the server is still starting") as caught:
        office.channel.ask("unready", None, 10)
    assert caught.value.code is Code.UNAVAILABLE


def test_a_worker_answers_for_its_process(office):
    office.join()
    office.metrics.set_models(["m"])
    office.metrics.request("m", 1, "predict", "REST").record(Code.OK, 5)
    ask = office.channel.ask
    assert [from_plain(plain) for plain in ask("statuses", {"model": "m", "version": None}, 10)] == STATUSES
    assert [from_plain(plain) for plain in ask("statuses", {"model": "m", "version": 1}, 10)] == STATUSES[1:]
    assert ask("metrics", None, 10) == office.metrics.snapshot()
    assert (ask("unready", "m", 10), ask("unready", None, 10)) == (None, "not None")
    assert ask("reload", {"config": base64.b64encode(b"\xff\0").decode(), "timeout": 2.5}, 10) is None
    assert office.local.reloads == [(b"\xff\0", 2.5)]


@pytest.mark.parametrize(
    ("what", "about", "code"), [("statuses", {"model": "x", "version": None}, Code.NOT_FOUND), ("dance", None, Code.UNIMPLEMENTED)]
)
def test_what_a_worker_cannot_answer_is_an_error(office, what, about, code):
    office.join()
    with pytest.raises(StatusError) as caught:
        office.channel.ask(what, about, 10)
    assert caught.value.code is code


def test_questions_about_the_server_go_to_the_supervisor(office):
    office.join()
    office.answers = {"statuses": [to_plain(status) for status in STATUSES], "unready": "a worker is late"}
    assert office.member.statuses("m", 3) == STATUSES
    assert office.member.unready("m") == "a worker is late"
    office.member.reload(b"\xff\0", 2.5)
    office.member.failed("no good")
    office.member.listening()
    assert office.told.wait(10)
    config = {"config": base64.b64encode(b"\xff\0").decode(), "timeout": 2.5}
    assert office.asked == [
        ("statuses", {"model": "m", "version": 3}),
        ("unready", "m"),
        ("reload", config),
        ("failed", "no good"),
        ("listening", None),
    ]


def test_a_reload_is_waited_for_a_little_longer_than_it_may_take(office, monkeypatch):
    waits = []
    monkeypatch.setattr(office.member._channel, "ask", lambda *asked: waits.append(asked[2]))
    office.member.reload(b"", 2.5)
    office.member.reload(b"", None)
    assert waits == [3.5, None]


def counting(number: int) -> prometheus.Snapshot:
    metrics = Metrics()
    metrics.set_models(["m"])
    for _ in range(number):
        metrics.request("m", 1, "predict", "REST").record(Code.OK, 5)
    return metrics.snapshot()


def test_the_page_is_of_all_processes(office):
    office.join()
    office.answers["metrics"] = [counting(7)]
    assert ':tensorflow:serving:request_count{model_name="m",status="OK",model_version="1"} 7' in office.member.metrics_text().splitlines()


def test_counters_of_all_processes_are_told_by_how_much_they_grew(office):
    office.join()
    office.answers["metrics"] = [counting(7), counting(10)]
    done: list[int] = []
    assert office.member.increases([COUNT], lambda: done.append(1)) == {COUNT: 3}
    assert office.member.increases([], lambda: done.append(2)) == {}
    assert done == [1, 2]
