"""Callers get what they would get from the model alone, only sooner."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.protocol.status import Code, StatusError
from serving.server.batching.batched import BatchedServable
from serving.server.batching.observer import BatchObserver
from serving.server.batching.scheduler import BatchScheduler
from serving.server.batching_parameters import BatchingParameters
from serving.server.servable import Servable
from tests.fakes.servable import FakeServable, double

LATE = (Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue")
BOTH = pytest.mark.parametrize("strict", [False, True])


def rows(future) -> list:
    return future.result(5)[0].tolist()


def error(future) -> tuple[Code, str]:
    with pytest.raises(StatusError) as caught:
        future.result(5)
    return caught.value.code, caught.value.message


def test_a_batched_model_is_a_model(open_desk):
    batched: Servable = open_desk().batched
    assert batched.signatures["serving_default"]
    assert list(batched.signature_defs) == ["serving_default"]


def test_a_lone_call_is_handed_through(open_desk):
    desk = open_desk()
    x = np.float32([1, 2])
    assert desk.batched.run({"x:0": x}, ["y:0"])[0].tolist() == [2, 4]
    assert desk.model.runs[0]["x:0"] is x


@BOTH
def test_calls_that_wait_are_run_as_one(open_desk, strict):
    desk = open_desk(strict=strict)
    first = desk.occupy()
    others = [desk.ask(x) for x in ([1.0], [2.0, 3.0], [4.0])]
    desk.release()
    assert [rows(future) for future in (first, *others)] == [[0], [2], [4, 6], [8]]
    assert desk.model.sizes() == [1, 4]


def test_a_large_call_is_run_in_parts(open_desk):
    desk = open_desk(max_batch_size=9, max_execution_batch_size=2, enable_large_batch_splitting=True, threads=2)
    assert rows(desk.ask([1.0, 2.0, 3.0, 4.0, 5.0])) == [2, 4, 6, 8, 10]
    assert sorted(desk.model.sizes()) == [1, 2, 2]


def test_each_set_of_inputs_and_outputs_has_batches_of_its_own(open_desk):
    desk = open_desk(lambda feeds: {"y:0": feeds["x:0"] + 1, "z:0": feeds["x:0"] + 2})
    desk.occupy()
    one, both, htob = (desk.ask([float(i)], fetches=names) for i, names in enumerate((["y:0"], ["y:0", "z:0"], ["z:0", "y:0"])))
    desk.release()
    assert [[output.tolist() for output in future.result(5)] for future in (one, both, htob)] == [[[1]], [[2], [3]], [[4], [3]]]
    assert desk.model.sizes() == [1, 1, 2]


def test_outputs_may_be_asked_for_twice_and_in_more_ways_than_are_remembered(open_desk, monkeypatch):
    monkeypatch.setattr("serving.server.batching.batched._MOST_ROUTES", 2)
    desk = open_desk(lambda feeds: {name: feeds["x:0"] + i for i, name in enumerate("abc")})
    for names in ("aa", "ab", "ba", "abc", "c"):
        assert desk.batched.run({"x:0": np.float32([1])}, list(names)) == [1 + "abc".index(name) for name in names]
    assert len(desk.batched._routes) <= 2
    assert len(desk.batched._lanes) <= 2


@BOTH
def test_a_full_queue_refuses_and_serves_those_who_wait(open_desk, strict):
    desk = open_desk(strict=strict, max_batch_size=2, max_enqueued_batches=1)
    desk.occupy()
    waits = desk.ask([1.0, 2.0])
    code, text = error(desk.ask([3.0]))
    assert code == Code.UNAVAILABLE
    assert text.endswith("full; currently 1 batches enqueued and max_enqueued_batches is 1")
    desk.release()
    assert rows(waits) == [2, 4]


def test_senseless_calls_and_parameters_are_refused(open_desk):
    desk = open_desk(max_batch_size=2)
    assert error(desk.ask([1.0, 2.0, 3.0])) == (Code.INVALID_ARGUMENT, "Task size 3 is larger than maximum input batch size 2")
    assert error(desk.ask(1.0)) == (Code.INVALID_ARGUMENT, "Batching Run() input tensors must have at least one dimension")
    with pytest.raises(StatusError, match="Last entry in allowed_batch_sizes must match max_batch_size"):
        open_desk(allowed_batch_sizes=(3,))


@BOTH
def test_a_model_that_breaks_kills_no_thread(open_desk, strict):
    desk = open_desk(lambda _: {}, strict=strict, batch_timeout_micros=1)
    for _ in range(3):
        assert error(desk.ask([1.0])) == (Code.INTERNAL, "KeyError: 'y:0'")


def test_an_error_of_a_batch_is_raised_anew_for_each_caller(open_desk):
    desk = open_desk(lambda _: {}, strict=True)
    desk.occupy()
    callers = [desk.ask([x]) for x in (1.0, 2.0)]
    desk.release()
    first, second = (caller.exception(5) for caller in callers)
    assert first is not second
    assert first.__cause__ is second.__cause__


def test_what_does_not_go_together_is_run_apart_unless_strict(open_desk):
    for strict, sizes in ((False, [1, 2, 1]), (True, [1])):
        desk = open_desk(strict=strict)
        desk.occupy()
        callers = [desk.ask(x) for x in ([1.0], [[2.0, 3.0]], [4.0])]
        desk.release()
        assert {type(caller.exception(5)) for caller in callers} == {StatusError if strict else type(None)}
        assert desk.model.sizes() == sizes


def test_who_waits_too_long_is_told_then_and_not_run(open_desk):
    desk = open_desk()
    desk.occupy()
    start = time.monotonic()
    late, patient = desk.ask([1.0], timeout=0.05), desk.ask([2.0])
    assert error(late) == LATE
    assert time.monotonic() - start < 2  # the model is still busy
    desk.release()
    assert rows(patient) == [4]
    assert desk.model.sizes() == [1, 1]


def test_a_call_that_comes_too_late_is_not_run(open_desk):
    desk = open_desk()
    assert error(desk.ask([1.0], timeout=0.0)) == LATE
    assert desk.model.runs == []


def test_who_runs_too_long_in_a_patient_batch_is_told_in_time(open_desk):
    desk = open_desk(batch_timeout_micros=1, max_batch_size=2)
    desk.model.gate.clear()
    hurried, patient = desk.ask([1.0], timeout=0.05), desk.ask([2.0])
    assert error(hurried)[0] in (Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED)
    desk.release()
    assert rows(patient) == [4]


@pytest.mark.parametrize(("strict", "forever"), [(False, None), (True, pytest.approx(2147, abs=2))])
def test_a_timeout_is_the_models_as_well(open_desk, strict, forever):
    desk = open_desk(strict=strict)
    desk.ask([1.0], timeout=20.0).result(5)
    desk.ask([1.0]).result(5)
    assert desk.model.timeouts == [pytest.approx(20, abs=2), forever]


def test_strict_waits_for_the_batch_however_late(open_desk):
    desk = open_desk(strict=True)
    desk.occupy()
    late, patient = desk.ask([1.0], timeout=0.01), desk.ask([2.0])
    time.sleep(0.02)
    desk.release()
    assert (rows(late), rows(patient)) == ([2], [4])


class Notes(BatchObserver):
    def __init__(self) -> None:
        self.sizes: list[tuple[str, int]] = []

    def input_batch_size(self, model: str, rows: int) -> None:
        self.sizes.append((model, rows))


def test_an_observer_is_told_of_every_call_that_makes_sense(open_desk):
    notes = Notes()
    desk = open_desk(observer=notes)
    desk.ask([1.0, 2.0, 3.0]).result(5)
    error(desk.ask(1.0))
    assert notes.sizes == [("m", 3)]


def test_closing_serves_who_is_there_then_closes_the_model_once(open_desk):
    desk = open_desk(batch_timeout_micros=60_000_000)
    waits = desk.ask([1.0])
    desk.batched.close()
    desk.batched.close()
    assert rows(waits) == [2]
    assert desk.model.closes == 1
    assert error(desk.ask([1.0]))[0] == Code.UNAVAILABLE


class Mortal(FakeServable):
    """Must not be run once it is closed."""

    def run(self, feeds, fetches, timeout_seconds=None):
        time.sleep(0.0002)
        if self.closed:
            raise StatusError(Code.INTERNAL, "run after close")
        return super().run(feeds, fetches, timeout_seconds)


@pytest.mark.parametrize("timeout_micros", [0, 500])
def test_closing_during_traffic_answers_everyone(timeout_micros):
    scheduler = BatchScheduler(2)
    batched = BatchedServable(Mortal(), BatchingParameters(max_batch_size=4, batch_timeout_micros=timeout_micros), scheduler)
    started = threading.Barrier(9)

    def call(number: int) -> int:
        started.wait(5)
        for turn in range(1_000_000):
            try:
                assert batched.run({"x:0": np.float32([number])}, ["y:0"], 5.0)[0].tolist() == [2 * number]
            except StatusError as refused:
                if refused.code != Code.UNAVAILABLE:
                    raise
                return turn
        return 0

    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(call, number) for number in range(8)]
        started.wait(5)
        time.sleep(0.1)
        batched.close()
        assert all(future.result(5) > 0 for future in calls)
    scheduler.close()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=2, max_size=6),
    st.sampled_from([(), (2, 5), (5,)]),
    st.sampled_from([0, 300]),
    st.booleans(),
    st.booleans(),
)
def test_under_threads_everyone_gets_his_own_rows(callers, allowed, timeout_micros, splits, strict):
    scheduler = BatchScheduler(2)
    parameters = BatchingParameters(5, timeout_micros, 100, 2, "t", allowed, False, splits, 3)
    sizes = []
    model = FakeServable(graph=lambda feeds: sizes.append(len(feeds["x:0"])) or double(feeds))
    batched = BatchedServable(model, parameters, scheduler, strict=strict)

    def call(number: int) -> None:
        for turn, size in enumerate(callers[number]):
            x = np.arange(size, dtype=np.float32) + 1000 * number + 10 * turn
            assert batched.run({"x:0": x}, ["y:0"])[0].tolist() == (x * 2).tolist()

    with ThreadPoolExecutor(len(callers)) as pool:
        for future in [pool.submit(call, number) for number in range(len(callers))]:
            future.result(5)
    batched.close()
    scheduler.close()
    assert all(size == 0 or size in (allowed or range(6)) for size in sizes)
