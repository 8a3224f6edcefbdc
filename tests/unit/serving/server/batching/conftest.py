"""A batched model with callers, whose first call can be made to wait so that the others pile up behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from serving.server.batching.batched import BatchedServable
from serving.server.batching.observer import BatchObserver
from serving.server.batching.scheduler import BatchScheduler
from serving.server.batching_parameters import BatchingParameters
from serving.server.servable import Array
from tests.fakes.servable import FakeServable, double


class Model(FakeServable):
    """Remembers what it is run with; waits while ``gate`` is shut."""

    def __init__(self, graph: Callable[[Mapping[str, Array]], Mapping[str, Array]] = double) -> None:
        super().__init__(graph=graph)
        self.runs: list[dict[str, Array]] = []
        self.timeouts: list[float | None] = []
        self.closes = 0
        self.gate = threading.Event()
        self.gate.set()

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        self.runs.append(dict(feeds))
        self.timeouts.append(timeout_seconds)
        if not self.gate.wait(5):
            raise TimeoutError("the gate stayed shut")
        return super().run(feeds, fetches, timeout_seconds)

    def close(self) -> None:
        super().close()
        self.closes += 1

    def sizes(self) -> list[int]:
        """The rows of every run."""
        return [len(feeds["x:0"]) for feeds in self.runs]


class Desk:
    """Callers of one batched model."""

    def __init__(self, model: Model, parameters: BatchingParameters, threads: int, strict: bool, observer: BatchObserver | None) -> None:
        self.model, self.scheduler = model, BatchScheduler(threads)
        self.batched = BatchedServable(model, parameters, self.scheduler, strict=strict, observer=observer, name="m")
        self._callers = ThreadPoolExecutor(20)

    def waiting(self) -> int:
        """How many pieces are queued or being run."""
        return sum(lane.pending for lane in list(self.batched._tenant.busy))

    def ask(self, x: Any, timeout: float | None = None, fetches: Sequence[str] = ("y:0",), **more: Any) -> Future[list[Array]]:
        """Call from a thread of its own and return once the call is queued, running or over."""
        feeds = {f"{name}:0": value if isinstance(value, np.ndarray) else np.float32(value) for name, value in {"x": x, **more}.items()}
        before = self.waiting()
        future = self._callers.submit(self.batched.run, feeds, fetches, timeout)
        eventually(lambda: future.done() or self.waiting() > before)
        return future

    def occupy(self) -> Future[list[Array]]:
        """Make the model wait in a first call, so that everything that follows is queued."""
        self.model.gate.clear()
        before = len(self.model.runs)
        future = self.ask([0.0])
        eventually(lambda: len(self.model.runs) > before)
        return future

    def release(self) -> None:
        """Let the model go on."""
        self.model.gate.set()

    def close(self) -> None:
        self.release()
        self.batched.close()
        self.scheduler.close()
        self._callers.shutdown()


def eventually(happened: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something that other threads bring about."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.0005)


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., None]:
    return eventually


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def open_one(
        graph: Callable[..., Mapping[str, Array]] = double,
        *,
        threads: int = 1,
        strict: bool = False,
        observer: BatchObserver | None = None,
        **parameters: Any,
    ) -> Desk:
        desks.append(Desk(Model(graph), BatchingParameters(**parameters), threads, strict, observer))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.close()
