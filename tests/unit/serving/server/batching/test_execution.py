"""A batch is run once if all is well; what one request does wrong is his alone, unless TF Serving is to be followed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.batching.execution import Execution
from serving.server.batching.limits import limits_of
from serving.server.batching.observer import BatchObserver
from serving.server.batching.request import Request
from serving.server.batching_parameters import BatchingParameters
from tests.fakes.servable import FakeServable, double

LATE = (Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue")
NEGATIVE = (Code.INVALID_ARGUMENT, "negative")
BOTH = pytest.mark.parametrize("strict", [False, True])


class Bench:
    """Runs batches of x on a model and says what became of each."""

    def __init__(self, graph=double, *, strict: bool = False, **parameters) -> None:
        self.runs: list[list] = []
        self.timeouts: list[float | None] = []
        self.notes: list[tuple] = []
        bench = self

        class Model(FakeServable):
            def run(self, feeds, fetches, timeout_seconds=None):
                bench.runs.append(feeds["x:0"].tolist())
                bench.timeouts.append(timeout_seconds)
                return super().run(feeds, fetches, timeout_seconds)

        class Notes(BatchObserver):
            def __getattribute__(self, name):
                return lambda *values: bench.notes.append((name, *values))

        given = BatchingParameters(**parameters)
        limits, pad = limits_of(given, strict=strict), given.pad_variable_length_inputs
        self.execution = Execution(Model(graph=graph), limits, Notes(), "m", pad=pad, strict=strict)

    def run(self, *xs, timeouts: dict[int, float] | None = None) -> list:
        """The answer to each x, in order: its y or its error."""
        now = time.monotonic()
        arrays = [np.float32(x) if isinstance(x, list) else x for x in xs]
        deadlines = {index: now + seconds for index, seconds in (timeouts or {}).items()}
        requests = [Request({"x:0": x}, len(x), (0,), now - 1, deadlines.get(index)) for index, x in enumerate(arrays)]
        self.execution.run(("x:0",), ("y:0",), [request.cut([request.rows])[0] for request in requests])
        assert all(request.finished for request in requests)
        return [(r.error.code, r.error.message) if r.error else r.outputs[0].tolist() for r in requests]


def no_negatives(feeds):
    if (feeds["x:0"] < 0).any():
        raise StatusError(*NEGATIVE)
    return double(feeds)


def slow(feeds):
    time.sleep(0.03)
    return no_negatives(feeds)


@BOTH
def test_a_batch_is_one_run(strict):
    bench = Bench(strict=strict)
    assert bench.run([1], [2, 3], [], [4]) == [[2], [4, 6], [], [8]]
    assert bench.runs == [[1, 2, 3, 4]]


@BOTH
def test_padding_is_run_but_given_to_nobody(strict):
    bench = Bench(strict=strict, max_batch_size=4, allowed_batch_sizes=(1, 4))
    assert bench.run([1], [2]) == [[2], [4]]
    assert bench.run([]) == [[]]
    assert bench.runs == [[1, 2, 2, 2], []]


def test_strict_lets_all_suffer_from_one():
    bench = Bench(no_negatives, strict=True)
    assert bench.run([1], [-1], [2]) == [NEGATIVE] * 3
    assert len(bench.runs) == 1


def test_only_the_guilty_get_the_error():
    bench = Bench(no_negatives)
    assert bench.run([1], [2], [3], [4], [5], [-1], [7], [8]) == [[2], [4], [6], [8], [10], NEGATIVE, [14], [16]]
    assert len(bench.runs) == 1 + 2 * 3


def test_finding_many_guilty_costs_a_bounded_number_of_runs():
    bench = Bench(no_negatives)
    assert bench.run(*[[-1]] * 8) == [NEGATIVE] * 8
    assert len(bench.runs) == 1 + 2 * 8 - 2


def test_the_search_for_the_guilty_pads_as_well():
    bench = Bench(no_negatives, max_batch_size=4, allowed_batch_sizes=(4,))
    assert bench.run([1], [-1]) == [[2], NEGATIVE]
    assert bench.runs == [[1, -1, -1, -1], [1, 1, 1, 1], [-1, -1, -1, -1]]


def test_whose_time_runs_out_during_the_search_is_run_no_more():
    bench = Bench(slow)
    assert bench.run([-1], [1], timeouts={1: 0.02}) == [NEGATIVE, LATE]
    assert bench.runs == [[-1, 1], [-1]]


@pytest.mark.parametrize("code", [Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE, Code.INTERNAL])
def test_an_error_that_no_request_causes_is_not_searched_for(code):
    def fails(_feeds):
        raise StatusError(code, "not yours")

    bench = Bench(fails)
    assert bench.run([1], [2]) == [(code, "not yours")] * 2
    assert len(bench.runs) == 1


@BOTH
def test_a_model_that_breaks_is_an_internal_error(strict):
    assert Bench(lambda _: {}, strict=strict).run([1], [2]) == [(Code.INTERNAL, "KeyError: 'y:0'")] * 2


def test_an_interrupted_thread_leaves_nobody_waiting():
    def interrupted(_feeds):
        raise KeyboardInterrupt

    request = Request({"x:0": np.zeros(1)}, 1, (0,), 0.0, None)
    with pytest.raises(KeyboardInterrupt):
        Bench(interrupted).execution.run(("x:0",), ("y:0",), request.cut([1]))
    assert request.error is not None
    assert request.error.code == Code.CANCELLED


@BOTH
def test_outputs_without_the_rows_of_the_inputs_are_an_error_for_all(strict):
    bench = Bench(lambda feeds: {"y:0": feeds["x:0"].sum()}, strict=strict)
    assert bench.run([1], [2]) == [(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")] * 2
    assert len(bench.runs) == 1


def test_what_does_not_go_together_is_run_apart():
    bench = Bench()
    assert bench.run([1], [[2, 3]], [4], np.int64([5])) == [[2], [[4, 6]], [8], [10]]
    assert bench.runs == [[1, 4], [[2, 3]], [5]]


def test_strict_refuses_what_does_not_go_together():
    bench = Bench(strict=True)
    assert {code for code, _ in bench.run([1], [[2, 3]], [4])} == {Code.FAILED_PRECONDITION}
    assert bench.runs == []


@BOTH
def test_with_padding_lengths_go_together(strict):
    bench = Bench(strict=strict, pad_variable_length_inputs=True)
    assert bench.run([[1]], [[2, 3]]) == [[[2, 2]], [[4, 6]]]
    assert len(bench.runs) == 1


def test_who_is_late_is_not_run():
    bench = Bench()
    assert bench.run([1], [2], timeouts={0: -0.001}) == [LATE, [4]]
    assert bench.run([3], timeouts={0: -0.001}) == [LATE]
    assert bench.runs == [[2]]


def test_who_is_late_by_the_time_others_were_run_is_not_run():
    bench = Bench(slow)
    assert bench.run([1], [[2]], timeouts={1: 0.02}) == [[2], LATE]


def test_strict_runs_the_late_with_the_others_and_refuses_only_a_batch_of_late_ones():
    bench = Bench(strict=True)
    assert bench.run([1], [2], timeouts={0: -0.001, 1: 5}) == [[2], [4]]
    assert bench.run([1], [2], timeouts={0: -0.001, 1: -0.001}) == [LATE] * 2
    assert bench.runs == [[1, 2]]


@BOTH
def test_a_batch_has_until_its_latest_deadline(strict):
    bench = Bench(strict=strict)
    bench.run([1], [2], timeouts={0: 20, 1: 40})
    assert bench.timeouts == [pytest.approx(40, abs=2)]


def test_an_observer_is_told():
    bench = Bench(max_batch_size=4, allowed_batch_sizes=(4,))
    bench.run([1, 2], [3])
    (first, second), others = bench.notes[:2], bench.notes[2:]
    assert others == [("padding_size", "m", 1, 4), ("processed_batch_size", "m", 4), ("wrapped_run_count", "m")]
    for name, model, microseconds in (first, second):
        assert (name, model) == ("queuing_latency", "m")
        assert 1e6 <= microseconds < 3e6  # they say they came a second ago
