"""Misses a Beam worker that is gone: the engine inside this process would wait for its answer for ever.

Beam's own handler for an external worker pool asks for a worker and trusts that it comes and stays. A pool that finds another Python
first on its PATH starts none that ever comes; one that runs out of memory is killed in the middle. This handler watches, as Beam's
handler for Docker does, and answers in the worker's place with an error. Engines elsewhere (Flink, Spark, Dataflow) watch their own.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import grpc
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, beam_runner_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers

# A new worker imports TensorFlow and TFX only when it reads its first work; until it reports in, it imports Beam.
COMES_WITHIN = 120.0
_ANSWERS_WITHIN = 30.0
_LOOKS_EVERY = 0.5


class WatchedWorkerHandler(worker_handlers.ExternalWorkerHandler):  # type: ignore[misc] # beam has no types we follow
    """Beam's handler for ``--environment_type=EXTERNAL`` and ``LOOPBACK``, with an end to waiting."""

    def start_worker(self) -> None:
        """Ask the pool for a worker, and watch it from then on."""
        self._closed = threading.Event()
        place = self._external_payload.endpoint.url
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        request = beam_fn_api_pb2.StartWorkerRequest(
            worker_id=self.worker_id,
            control_endpoint=control,
            artifact_endpoint=control,
            provision_endpoint=control,
            logging_endpoint=self.logging_api_service_descriptor(),
            params=self._external_payload.params,
        )
        with grpc.insecure_channel(place) as channel:
            try:
                response = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel).StartWorker(request, timeout=_ANSWERS_WITHIN)
            except grpc.RpcError as error:
                raise RuntimeError(
                    f"the Beam worker pool at {place} does not answer ({error.code().name}); is it still running?"
                ) from error
        if response.error:
            raise RuntimeError(f"the Beam worker pool at {place} started no worker: {response.error.strip().splitlines()[-1]}")
        threading.Thread(target=self._watch, args=(place,), name="sluiceway_worker_watch", daemon=True).start()

    def close(self) -> None:
        """Stop watching; what follows is Beam's own."""
        self._closed.set()
        super().close()

    def _watch(self, place: str) -> None:
        until = time.monotonic() + COMES_WITHIN
        connection = self.control_conn
        while not self._closed.wait(_LOOKS_EVERY):
            came = connection._input is not None
            if came and not connection._read_thread.is_alive():
                _answer(connection, f"a Beam worker of the pool at {place} is gone, often for want of memory; its log says more")
            elif not came and time.monotonic() > until:
                _answer(
                    connection,
                    f"the Beam worker pool at {place} started a worker that did not report in within {COMES_WITHIN:g} s;"
                    " the first python on the pool's PATH has to be one with sluiceway[pipeline]",
                )


def watch_workers() -> None:
    """Put the watched handler in the place of Beam's, through Beam's own registry."""
    register = worker_handlers.WorkerHandler.register_environment
    register(common_urns.environments.EXTERNAL.urn, beam_runner_api_pb2.ExternalPayload)(WatchedWorkerHandler)


def _answer(connection: Any, text: str) -> None:
    """Answer everything the worker was asked. Beam's ``abort`` leaves those waiting who read the worker's data: no answer, no end."""
    for name, future in list(connection._futures_by_id.items()):
        future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=name, error=text))
