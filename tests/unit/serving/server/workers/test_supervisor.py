"""A supervisor and its workers; the processes are threads of the test."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server.manager import StartFailed
from serving.server.metrics import Metrics
from serving.server.workers import supervisor
from serving.server.workers.channel import Channel
from serving.server.workers.member import from_plain, to_plain
from tests.fakes.workers import Office, Process, wait_until

UP, LOADING = State.AVAILABLE, State.LOADING


@pytest.fixture
def office(monkeypatch) -> Iterator[Office]:
    made = Office()
    monkeypatch.setattr(supervisor.subprocess, "Popen", lambda command, **more: Process(made, command, **more))
    monkeypatch.setattr(supervisor, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(supervisor, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(signal, "signal", lambda _, handler: setattr(made, "stop", handler))
    yield made
    made.close()


def config(text: bytes, timeout: float | None = None) -> dict[str, Any]:
    return {"config": base64.b64encode(text).decode(), "timeout": timeout}


def test_every_worker_gets_the_ports_and_the_servers_own_command_line(office, tmp_path):
    found = office.both(tmp_path)
    told = json.loads((tmp_path / "ports").read_text())
    assert told["pid"] == os.getpid()
    for one in found:
        assert one.command[1:3] == ["-m", "serving.server.workers"]
        assert one.about == {"grpc": told["grpc"], "rest": told["rest"], "config": None, "serving": None, "again": False}
        assert one.command[4:-1] == ["--given=1", f"--parent_pid={os.getpid()}"]


def test_ports_are_told_when_all_listen_and_not_before(office, tmp_path):
    office.open(ports_file=tmp_path / "ports")
    first, second = office.next(), office.next()
    first.listen()
    wait_until(lambda: office.supervisor._workers and office.supervisor._workers[0].listening.is_set())
    assert not (tmp_path / "ports").exists()
    second.listen()
    wait_until(lambda: (tmp_path / "ports").exists())


def test_the_end_ends_all_and_waits_for_them(office, tmp_path):
    first, second = office.both(tmp_path)
    second.stubborn = True
    office.close()
    assert (first.signals, second.signals) == (["terminate"], ["terminate", "kill"])
    assert not office.raised


def test_a_worker_that_cannot_start_stops_the_start_with_its_words(office):
    office.open()
    first, second = office.next(), office.next()
    first.listen()
    second.channel.ask("failed", "UNKNOWN: no model", 10)  # and takes its time to end
    wait_until(lambda: office.raised)
    assert [str(error) for error in office.raised] == ["UNKNOWN: no model"]
    assert isinstance(office.raised[0], StartFailed)
    assert first.signals == second.signals == ["terminate"]


def test_a_worker_that_dies_without_a_word_stops_the_start_too(office):
    office.open()
    office.next().end(-11)
    wait_until(lambda: office.raised)
    assert str(office.raised[0]) == "a worker process ended with code -11; its log says why"


def test_a_stop_during_the_start_is_no_failure(office):
    office.open()
    first, second = office.next(), office.next()
    office.close()
    assert first.signals == second.signals == ["terminate"]
    assert not office.raised


def test_a_process_that_cannot_be_made_is_one_line(office, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(supervisor.subprocess, "Popen", refuse)
    office.open()
    wait_until(lambda: office.raised)
    assert str(office.raised[0]) == "a worker process cannot be started: no more processes"


def test_a_worker_that_comes_again_gets_the_last_list_in_force_and_the_log_says_why_it_ended(office, tmp_path, caplog):
    first, second = office.both(tmp_path)
    served = [{"name": "m", "base_path": "/m"}]
    second.channel.ask("serving", served, 10)
    first.channel.ask("failed", "INVALID_ARGUMENT: no good", 10)
    first.end(255)
    assert office.next().about["serving"] == served
    assert "ended with code 255: INVALID_ARGUMENT: no good; starting it again" in caplog.text


def test_a_worker_that_ends_is_started_again_as_one_that_comes_late(office, tmp_path, caplog):
    first, _ = office.both(tmp_path)
    first.end(-9)
    third = office.next()
    assert third.about["again"] is True
    assert f"worker 0 (process {first.pid}) ended with code -9; starting it again in 0.0 s" in caplog.text
    third.end(-9)
    assert office.next().about["again"] is True


def statuses(*rows: VersionStatus) -> list[list[Any]]:
    return [to_plain(row) for row in rows]


def test_questions_are_put_to_all_and_answered_as_one(office, tmp_path):
    first, second = office.both(tmp_path)
    metrics = Metrics()
    metrics.examples("m", 1, 3)
    first.answers = {"statuses": statuses(VersionStatus(1, UP)), "unready": None, "metrics": metrics.snapshot()}
    second.answers = {"statuses": statuses(VersionStatus(1, LOADING)), "unready": "too early", "metrics": metrics.snapshot()}
    about = {"model": "m", "version": None}
    assert [from_plain(plain) for plain in first.channel.ask("statuses", about, 10)] == [VersionStatus(1, LOADING)]
    assert first.channel.ask("unready", "m", 10) == "too early"
    (point,) = first.channel.ask("metrics", None, 10)["/tensorflow/serving/request_example_count_total"]["points"]
    assert point["value"] == 6
    second.answers["unready"] = None
    assert second.channel.ask("unready", None, 10) is None
    assert second.asked.get(timeout=10) == ("statuses", about)


def raises(code: Code, message: str = "no") -> Callable[[Any], Any]:
    def answer(_: Any) -> Any:
        raise StatusError(code, message)

    return answer


def test_one_answer_is_enough_and_no_answer_is_an_error(office, tmp_path):
    first, second = office.both(tmp_path)
    first.answers, second.answers = {"unready": raises(Code.UNAVAILABLE)}, {"unready": "not yet"}
    assert first.channel.ask("unready", None, 10) == "not yet"
    second.answers["unready"] = raises(Code.UNAVAILABLE)
    with pytest.raises(StatusError, match=r"^no$"):
        first.channel.ask("unready", None, 10)


def test_a_server_none_of_whose_workers_listens_is_not_ready(office):
    office.open()
    first, _ = office.next(), office.next()
    wait_until(lambda: office.supervisor._workers)
    assert first.channel.ask("unready", None, 10) == "no process of the server is ready"


def test_a_reload_is_done_by_all_and_kept_for_those_that_come_later(office, tmp_path):
    first, second = office.both(tmp_path)
    first.answers = second.answers = {"reload": None}
    assert first.channel.ask("reload", config(b"new\xff", 5.0), 10) is None
    assert first.asked.get(timeout=10) == second.asked.get(timeout=10) == ("reload", config(b"new\xff", 5.0))
    second.end(-9)
    assert base64.b64decode(office.next().about["config"]) == b"new\xff"


@pytest.mark.parametrize(
    ("codes", "raised", "kept"),
    [
        ((Code.INVALID_ARGUMENT, Code.INVALID_ARGUMENT), Code.INVALID_ARGUMENT, None),
        ((Code.FAILED_PRECONDITION, None), Code.FAILED_PRECONDITION, None),
        ((Code.UNAVAILABLE, Code.INVALID_ARGUMENT), Code.INVALID_ARGUMENT, None),
        ((Code.UNKNOWN, None), Code.UNKNOWN, b"new"),
        ((None, Code.DEADLINE_EXCEEDED), Code.DEADLINE_EXCEEDED, b"new"),
    ],
)
def test_a_reload_that_fails_anywhere_fails_and_is_kept_unless_it_was_refused(office, tmp_path, codes, raised, kept):
    pair = office.both(tmp_path)
    for one, code in zip(pair, codes, strict=True):
        one.answers = {"reload": None if code is None else raises(code)}
    with pytest.raises(StatusError) as caught:
        pair[0].channel.ask("reload", config(b"new"), 10)
    assert caught.value.code is raised
    pair[1].end(-9)
    found = office.next().about["config"]
    assert (None if found is None else base64.b64decode(found)) == kept


def test_a_worker_that_dies_during_a_reload_comes_back_with_it(office, tmp_path):
    first, second = office.both(tmp_path)
    first.answers, second.answers = {"reload": None}, {"reload": lambda _: second.end(-9)}
    with pytest.raises(StatusError, match="another process of the server is gone"):
        first.channel.ask("reload", config(b"new"), 10)
    third = office.next()
    third.answers = {"reload": None}
    third.listen()
    if third.about["config"] is None:  # it had been started before the reload was over
        assert third.asked.get(timeout=10) == ("reload", config(b"new"))


def test_a_worker_that_was_starting_hears_of_the_reload_when_it_listens(office, tmp_path):
    first, second = office.both(tmp_path)
    first.answers = {"reload": None}
    second.end(-9)
    third = office.next()
    third.answers = {"reload": None}
    first.channel.ask("reload", config(b"new", 5.0), 10)
    assert third.asked.empty()
    third.listen()
    assert third.asked.get(timeout=10) == ("reload", config(b"new"))


def test_a_reload_that_hangs_keeps_no_later_one_from_being_the_remedy(office, tmp_path):
    first, second = office.both(tmp_path)
    go = threading.Event()

    def answer(about: Any) -> None:
        if about["config"] == config(b"hangs")["config"]:
            assert go.wait(10)
            raise StatusError(Code.ABORTED, "a later reload is without it")

    first.answers = second.answers = {"reload": answer}
    hanging = first.channel.begin("reload", config(b"hangs"))
    for one in (first, second):
        one.asked.get(timeout=10)
    first.channel.ask("reload", config(b"remedy"), 10)
    go.set()
    with pytest.raises(StatusError, match="a later reload is without it"):
        Channel.wait(hanging, "reload", 10)
    second.end(-9)
    assert base64.b64decode(office.next().about["config"]) == b"remedy"
