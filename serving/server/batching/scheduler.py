"""The threads that run batches, shared fairly by every queue of the process."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from serving.protocol.status import Code, StatusError, invalid
from serving.server.batching.limits import Limits
from serving.server.batching.queue import BatchQueue
from serving.server.batching.request import Piece, Request


class Tenant:
    """Whose lanes they are: a model version. It can be drained as one."""

    def __init__(self) -> None:
        self.closed = False
        self.busy: set[Lane] = set()


class Lane:
    """One queue, and who runs its batches. A lane without requests may be forgotten at any time."""

    def __init__(self, tenant: Tenant, limits: Limits, process: Callable[[Sequence[Piece]], None]) -> None:
        self.tenant, self.queue, self.process = tenant, BatchQueue(limits), process
        self.pending = 0  # pieces queued or being run
        self.ready = False  # stands in the line for a thread
        self.alarmed = False  # has an entry among those that wait for their time


class BatchScheduler:
    """Runs at most ``num_threads`` batches at once; lanes with a batch that is due take turns, a batch each.

    A request that nobody waits before and nobody waits for is run by its own caller's thread, which saves two thread switches; it counts
    as one of the ``num_threads`` while it runs. Everything else is run by the pool. One lock guards all state and is never held while
    a model runs.
    """

    def __init__(self, num_threads: int, thread_pool_name: str = "batch_threads") -> None:
        """Starts the threads. Raises StatusError: INVALID_ARGUMENT for less than one, RESOURCE_EXHAUSTED for more than there can be."""
        if num_threads < 1:
            raise invalid(f"num_batch_threads must be positive; was {num_threads}")
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._drained = threading.Condition(self._lock)
        self._free = num_threads
        self._ready: deque[Lane] = deque()
        self._due: list[tuple[float, int, Lane]] = []
        self._entries = 0
        # Until when the idle thread that keeps the time sleeps: one keeps it, or every timeout would wake them all.
        self._alarm = math.inf
        self._closed = False
        self._threads: list[threading.Thread] = []
        for number in range(num_threads):
            thread = threading.Thread(target=self._work, name=f"{thread_pool_name}_{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self.close()
                raise StatusError(Code.RESOURCE_EXHAUSTED, f"num_batch_threads: only {number} of {num_threads} can be started") from error
            self._threads.append(thread)

    def submit(self, lane: Lane, request: Request) -> None:
        """Queue a request; it may be finished when this returns.

        Raises StatusError: UNAVAILABLE for a closed tenant or scheduler and a full queue, INVALID_ARGUMENT for too many rows.
        """
        now = request.enqueued
        with self._lock:
            if self._closed or lane.tenant.closed:
                raise StatusError(Code.UNAVAILABLE, "The model is being unloaded and takes no more requests")
            lane.pending += lane.queue.add(request, now)
            lane.tenant.busy.add(lane)
            pieces = self._take_own(lane, now)
            if pieces is None and self._settle(lane, now):
                self._rouse()
        if pieces is not None:
            self._run_here(lane, pieces)

    def withdraw(self, lane: Lane, request: Request) -> bool:
        """Take a request out of its queue. False when some of it has left it already."""
        with self._lock:
            withdrawn = lane.queue.withdraw(request)
            self._release(lane, withdrawn)
        return withdrawn == request.pieces

    def drain(self, tenant: Tenant) -> None:
        """Refuse new requests, run the queued ones without waiting for full batches, return when the last one is done."""
        with self._lock:
            tenant.closed = True
            for lane in tenant.busy:
                lane.queue.close()
                self._settle(lane, time.monotonic())
            self._rouse()
            while tenant.busy:
                self._drained.wait()
            # Otherwise they would hold on to the tenant until their time comes.
            self._due = [entry for entry in self._due if entry[2].tenant is not tenant]
            heapq.heapify(self._due)

    def close(self) -> None:
        """Refuse new requests, run the queued ones, end the threads."""
        with self._lock:
            self._closed = True
            for _, _, lane in self._due:
                self._settle(lane, time.monotonic())
            self._due = []
            self._idle.notify_all()
        for thread in self._threads:
            thread.join()

    def _take_own(self, lane: Lane, now: float) -> list[Piece] | None:
        if self._free and not self._ready and (pieces := lane.queue.take_lone(now)) is not None:
            self._free -= 1
            return pieces
        return None

    def _run_here(self, lane: Lane, pieces: Sequence[Piece]) -> None:
        try:
            lane.process(pieces)
        finally:
            with self._lock:
                self._free += 1
                self._release(lane, len(pieces))
                self._rouse()

    def _rouse(self) -> None:
        """Wake an idle thread if there is a batch to run or a time to keep."""
        if self._free and (self._ready or (self._due and self._due[0][0] < self._alarm)):
            self._idle.notify()

    def _settle(self, lane: Lane, now: float) -> bool:
        """Put a lane in line for a thread if it has a batch, or note when it will have one. Is that news to idle threads?"""
        if lane.ready:
            return False
        if self._closed:
            lane.queue.close()
        due = lane.queue.due()
        if due is None:
            return False
        if due <= now:
            lane.ready = True
            self._ready.append(lane)
            return True
        if lane.alarmed:
            return False
        lane.alarmed = True
        self._entries += 1
        heapq.heappush(self._due, (due, self._entries, lane))
        return True

    def _release(self, lane: Lane, pieces: int) -> None:
        lane.pending -= pieces
        if lane.pending == 0:
            lane.tenant.busy.discard(lane)
            if lane.tenant.closed and not lane.tenant.busy:
                self._drained.notify_all()

    def _work(self) -> None:
        with self._lock:
            job = self._next()
        while job is not None:
            job[0].process(job[1])
            with self._lock:
                self._free += 1
                self._release(job[0], len(job[1]))
                job = None  # an idle thread keeps no model alive
                job = self._next()

    def _next(self) -> tuple[Lane, list[Piece]] | None:
        """Wait for a batch and a turn; None when there will be none any more."""
        while True:
            now = time.monotonic()
            self._promote(now)
            if self._free and (job := self._take(now)) is not None:
                self._rouse()  # for what else there is, and to keep the time if this thread did
                return job
            if self._closed and not self._ready:
                return None
            self._sleep(now)

    def _promote(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            lane = heapq.heappop(self._due)[2]
            lane.alarmed = False
            self._settle(lane, now)

    def _take(self, now: float) -> tuple[Lane, list[Piece]] | None:
        self._free -= 1
        while self._ready:
            lane = self._ready.popleft()
            lane.ready = False
            pieces = lane.queue.take(now)
            self._settle(lane, now)
            if pieces is not None:
                return lane, pieces
        self._free += 1
        return None

    def _sleep(self, now: float) -> None:
        alarm = self._due[0][0] if self._due and self._free else math.inf
        if alarm >= self._alarm:
            self._idle.wait()
            return
        self._alarm = alarm
        self._idle.wait(min(alarm - now, threading.TIMEOUT_MAX))
        if self._alarm == alarm:
            self._alarm = math.inf
