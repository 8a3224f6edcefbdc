"""A model whose requests are run in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import Code, StatusError
from serving.server.batching.deadlines import deadline_of, waited_too_long
from serving.server.batching.execution import Execution
from serving.server.batching.limits import limits_of
from serving.server.batching.merging import rows_of
from serving.server.batching.observer import BatchObserver
from serving.server.batching.request import Request
from serving.server.batching.scheduler import BatchScheduler, Lane, Tenant
from serving.server.batching_parameters import BatchingParameters
from serving.server.servable import Array, Servable

# So many requests at the most are put together before they come here.
MOST_TOGETHER = 64
# Callers choose outputs, and their order, so they choose how many routes there are.
_MOST_ROUTES = 1024


class BatchedServable:
    """Implements `Servable` on top of another one; requests for the same inputs and outputs are run together.

    Unless ``strict``, which is TF Serving's way, requests do not suffer from those they share a batch with (see `Execution`), and a caller
    whose time runs out gets his answer then, not when the batch is done, and is not run if he is still queued.
    """

    def __init__(
        self,
        servable: Servable,
        parameters: BatchingParameters,
        scheduler: BatchScheduler,
        *,
        strict: bool = False,
        observer: BatchObserver | None = None,
        name: str = "",
    ) -> None:
        """``name`` is the model's, for the observer. Raises StatusError (INVALID_ARGUMENT) for parameters that make no sense."""
        self._limits = limits_of(parameters, strict=strict)
        self._servable, self._scheduler, self._strict, self._name = servable, scheduler, strict, name
        self._observer = observer or BatchObserver()
        pad = parameters.pad_variable_length_inputs
        self._execution = Execution(servable, self._limits, self._observer, name, pad=pad, strict=strict)
        self._prompt = parameters.batch_timeout_micros == 0 and parameters.max_batch_size >= MOST_TOGETHER
        self._tenant = Tenant()
        self._routes: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Lane, tuple[int, ...]]] = {}
        self._lanes: dict[tuple[tuple[str, ...], tuple[str, ...]], Lane] = {}
        self._routing = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False

    @property
    def signature_defs(self) -> Mapping[str, wire.SignatureDef]:
        return self._servable.signature_defs

    @property
    def signatures(self) -> Mapping[str, SignatureSpec]:
        return self._servable.signatures

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        """As `Servable.run`; the arrays may be views of larger ones.

        Raises StatusError: what the model raises for the batch; INVALID_ARGUMENT for inputs without rows, with different numbers of
        them or with too many; UNAVAILABLE for a full queue and after `close`; RESOURCE_EXHAUSTED when ``timeout_seconds`` pass in the
        queue; FAILED_PRECONDITION for outputs that do not have the rows of the inputs.
        """
        lane, order = self._route(tuple(feeds), tuple(fetches))
        rows = rows_of(feeds)
        self._observer.input_batch_size(self._name, rows)
        now = time.monotonic()
        request = Request(feeds, rows, order, now, deadline_of(now, timeout_seconds, strict=self._strict))
        self._scheduler.submit(lane, request)
        if not request.finished:
            self._wait(lane, request)
        if request.error is not None:
            # A new one for each caller: raising changes an exception, and others raise the same.
            raise StatusError(request.error.code, request.error.message) from request.error
        return request.outputs

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        """See `Servable.quick`. Not when a call waits for others to share its batch, or may be larger than a batch."""
        return self._prompt and self._servable.quick(feeds, fetches)

    def close(self) -> None:
        """Run what is queued, then close the model. May be repeated."""
        with self._closing:
            self._scheduler.drain(self._tenant)
            if not self._closed:
                self._closed = True
                self._servable.close()

    def _route(self, feeds: tuple[str, ...], fetches: tuple[str, ...]) -> tuple[Lane, tuple[int, ...]]:
        route = self._routes.get((feeds, fetches))
        if route is not None:
            return route
        inputs, outputs = tuple(sorted(feeds)), tuple(sorted(set(fetches)))
        with self._routing:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
                self._lanes.clear()  # those at work live on in the scheduler
            lane = self._lanes.get((inputs, outputs))
            if lane is None:
                lane = self._lanes[inputs, outputs] = Lane(self._tenant, self._limits, partial(self._execution.run, inputs, outputs))
            route = self._routes[feeds, fetches] = (lane, tuple(outputs.index(name) for name in fetches))
        return route

    def _wait(self, lane: Lane, request: Request) -> None:
        if self._strict or request.deadline is None:
            request.wait(None)
        elif not request.wait(request.deadline - time.monotonic()):
            if self._scheduler.withdraw(lane, request):
                raise waited_too_long()
            if not request.finished:
                raise StatusError(Code.DEADLINE_EXCEEDED, "Run() timeout exceeded while its batch was running")
