"""Lanes take turns on the threads, and none is forgotten."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching.limits import limits_of
from serving.server.batching.request import Piece, Request
from serving.server.batching.scheduler import BatchScheduler, Lane, Tenant
from serving.server.batching_parameters import BatchingParameters


class Shop:
    """Lanes of one scheduler; notes what is run, and waits in it while the gate is shut."""

    def __init__(self, threads: int) -> None:
        self.scheduler = BatchScheduler(threads, "pool")
        self.gate = threading.Event()
        self.gate.set()
        self.ran: list[tuple[str, int]] = []
        self.threads: list[str] = []
        self.running = self.most = 0

    def lane(self, name: str, tenant: Tenant | None = None, **parameters) -> Lane:
        def process(pieces: list[Piece]) -> None:
            self.ran.append((name, len(pieces)))
            self.threads.append(threading.current_thread().name)
            self.running += 1
            self.most = max(self.most, self.running)
            self.gate.wait(5)
            self.running -= 1
            for piece in pieces:
                piece.answer([])

        return Lane(tenant or Tenant(), limits_of(BatchingParameters(**parameters), strict=False), process)

    def submit(self, lane: Lane) -> Request:
        request = Request({"x": np.zeros(1)}, 1, (), time.monotonic(), None)
        self.scheduler.submit(lane, request)
        return request

    def occupy(self, lane: Lane, eventually) -> None:
        """Keep one thread busy until the gate opens."""
        self.gate.clear()
        before = len(self.ran)
        threading.Thread(target=self.submit, args=(lane,), daemon=True).start()
        eventually(lambda: len(self.ran) > before)


@pytest.fixture
def shop(request) -> Iterator[Shop]:
    opened = Shop(getattr(request, "param", 1))
    yield opened
    opened.gate.set()
    opened.scheduler.close()


def test_a_scheduler_needs_a_thread():
    with pytest.raises(StatusError, match="num_batch_threads must be positive; was 0"):
        BatchScheduler(0)


def test_threads_that_cannot_be_started_are_one_error_and_end_the_others(monkeypatch):
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)
        started.append(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(StatusError, match="num_batch_threads: only 2 of 5 can be started") as caught:
        BatchScheduler(5)
    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    assert not any(thread.is_alive() for thread in started)


def test_a_lone_request_is_run_by_its_caller(shop):
    assert shop.submit(shop.lane("a")).finished
    assert shop.threads == [threading.current_thread().name]


def test_a_lone_request_does_not_overtake_a_batch_that_stands_in_line(shop, monkeypatch):
    full = shop.lane("full", max_batch_size=2, batch_timeout_micros=60_000_000)
    with monkeypatch.context() as asleep:
        asleep.setattr(shop.scheduler, "_rouse", lambda: None)
        requests = [shop.submit(full), shop.submit(full), shop.submit(shop.lane("lone"))]
        assert shop.ran == []
    requests.append(shop.submit(shop.lane("last")))
    assert all(request.wait(5) for request in requests)
    assert [name for name, _ in shop.ran] == ["full", "lone", "last"]


def test_a_batch_that_waits_is_run_in_time_by_the_named_pool(shop):
    lane = shop.lane("a", batch_timeout_micros=30_000)
    start = time.monotonic()
    first, second = shop.submit(lane), shop.submit(lane)
    assert not first.finished
    assert second.wait(5)
    assert 0.03 <= time.monotonic() - start < 1
    assert (shop.ran, shop.threads) == ([("a", 2)], ["pool_0"])


@pytest.mark.parametrize("shop", [1, 2], indirect=True)
def test_a_shorter_timeout_is_not_missed_behind_a_longer_one(shop):
    slow = shop.submit(shop.lane("slow", batch_timeout_micros=300_000))
    time.sleep(0.01)  # the thread sleeps by now
    start = time.monotonic()
    assert shop.submit(shop.lane("quick", batch_timeout_micros=10_000)).wait(5)
    assert time.monotonic() - start < 0.25
    assert slow.wait(5)
    assert shop.ran == [("quick", 1), ("slow", 1)]


def test_a_full_batch_does_not_wait(shop):
    lane = shop.lane("a", max_batch_size=2, batch_timeout_micros=60_000_000)
    requests = [shop.submit(lane) for _ in range(4)]
    assert all(request.wait(5) for request in requests)
    assert shop.ran == [("a", 2), ("a", 2)]


def test_a_lane_waits_for_one_time_however_many_batches_it_has(shop):
    lane = shop.lane("a", max_batch_size=2, batch_timeout_micros=60_000_000)
    requests = [shop.submit(lane) for _ in range(20)]
    assert all(request.wait(5) for request in requests)
    assert len(shop.scheduler._due) == 1


def test_a_batch_that_followed_a_full_one_is_run_in_its_own_time(shop):
    lane = shop.lane("a", max_batch_size=2, batch_timeout_micros=40_000)
    requests = [shop.submit(lane) for _ in range(3)]
    assert all(request.wait(5) for request in requests)
    assert shop.ran == [("a", 2), ("a", 1)]


def test_lanes_take_turns(shop, eventually):
    a, b, c = (shop.lane(name, max_batch_size=1) for name in "abc")
    shop.occupy(c, eventually)
    requests = [shop.submit(lane) for lane in (a, a, a, b, b)]
    shop.gate.set()
    assert all(request.wait(5) for request in requests)
    assert [name for name, _ in shop.ran] == ["c", "a", "b", "a", "b", "a"]


@pytest.mark.parametrize("shop", [3], indirect=True)
def test_all_threads_work_but_no_more_whoever_calls(shop, eventually):
    lane = shop.lane("a", max_batch_size=1, max_enqueued_batches=100)
    shop.occupy(lane, eventually)
    callers = [threading.Thread(target=shop.submit, args=(lane,), daemon=True) for _ in range(8)]
    for caller in callers:
        caller.start()
    eventually(lambda: shop.running == 3)
    shop.gate.set()
    eventually(lambda: len(shop.ran) == 9)
    assert shop.most == 3


@pytest.mark.parametrize("shop", [2], indirect=True)
def test_somebody_keeps_the_time_while_who_kept_it_works(shop, eventually):
    full = shop.lane("full", max_batch_size=2, batch_timeout_micros=60_000_000)
    shop.submit(shop.lane("timed", batch_timeout_micros=200_000))
    # Idle threads are woken in turn, so one of these two batches wakes the one that keeps the time.
    assert [shop.submit(full), shop.submit(full)][-1].wait(5)
    time.sleep(0.02)
    shop.gate.clear()
    assert not [shop.submit(full), shop.submit(full)][-1].finished
    eventually(lambda: shop.running == 2, 2)


@pytest.mark.parametrize("shop", [2], indirect=True)
def test_who_takes_a_batch_wakes_another_for_the_next(shop, eventually):
    tenant = Tenant()
    for name in "ab":
        shop.submit(shop.lane(name, tenant, batch_timeout_micros=60_000_000))
    shop.gate.clear()
    threading.Thread(target=shop.scheduler.drain, args=(tenant,), daemon=True).start()
    eventually(lambda: shop.running == 2)


def test_what_is_withdrawn_is_not_run(shop, eventually):
    lane = shop.lane("a")
    shop.occupy(lane, eventually)
    gone, stays = shop.submit(lane), shop.submit(lane)
    assert shop.scheduler.withdraw(lane, gone)
    shop.gate.set()
    assert stays.wait(5)
    assert shop.ran == [("a", 1), ("a", 1)]
    assert not gone.finished
    assert not shop.scheduler.withdraw(lane, stays)


def test_draining_runs_what_waits_and_refuses_the_rest(shop):
    tenant = Tenant()
    lane, other = shop.lane("a", tenant, batch_timeout_micros=60_000_000), shop.lane("b", batch_timeout_micros=60_000_000)
    request, stranger = shop.submit(lane), shop.submit(other)
    shop.scheduler.drain(tenant)
    assert request.finished
    assert not stranger.finished
    with pytest.raises(StatusError) as caught:
        shop.submit(lane)
    assert caught.value.code == Code.UNAVAILABLE


def test_draining_waits_for_a_batch_that_runs(shop, eventually):
    tenant = Tenant()
    shop.occupy(shop.lane("a", tenant), eventually)
    drained = threading.Thread(target=shop.scheduler.drain, args=(tenant,))
    drained.start()
    drained.join(0.05)
    assert drained.is_alive()
    shop.gate.set()
    drained.join(5)
    assert not drained.is_alive()


def test_what_was_drained_is_not_held_on_to(shop):
    tenant = Tenant()
    lane = shop.lane("a", tenant, batch_timeout_micros=60_000_000)
    shop.submit(lane)
    shop.scheduler.drain(tenant)
    held = weakref.ref(lane)
    del lane, tenant
    gc.collect()
    assert held() is None


def test_closing_runs_what_waits_and_ends_the_threads():
    shop = Shop(2)
    lane = shop.lane("a", batch_timeout_micros=60_000_000)
    request = shop.submit(lane)
    shop.scheduler.close()
    assert request.finished
    assert not [thread for thread in shop.scheduler._threads if thread.is_alive()]
    with pytest.raises(StatusError) as caught:
        shop.submit(lane)
    assert caught.value.code == Code.UNAVAILABLE


def test_closing_waits_for_a_turn(eventually):
    shop = Shop(1)
    lane = shop.lane("a")
    shop.occupy(lane, eventually)
    request = shop.submit(lane)
    closing = threading.Thread(target=shop.scheduler.close)
    closing.start()
    closing.join(0.05)
    shop.gate.set()
    closing.join(5)
    assert request.finished


def test_closing_hurries_the_batch_behind_the_one_that_runs(eventually):
    shop = Shop(1)
    lane = shop.lane("a", max_batch_size=2, batch_timeout_micros=60_000_000)
    shop.gate.clear()
    requests = [shop.submit(lane) for _ in range(3)]
    eventually(lambda: shop.running == 1)
    closing = threading.Thread(target=shop.scheduler.close)
    closing.start()
    shop.gate.set()
    closing.join(5)
    assert all(request.finished for request in requests)
