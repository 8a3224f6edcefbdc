"""A SavedModel in a session of TensorFlow's C library: the loader and the session that TF Serving is made of."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.protocol import metadata
from serving.protocol import wire_pb2 as wire
from serving.protocol.signature import SignatureSpec
from serving.protocol.status import StatusError, invalid
from serving.server.runtime.library import Buffer, Library, Output, Pointer, library
from serving.server.runtime.pace import Pace
from serving.server.runtime.tensors import Tensors

Array = np.ndarray[Any, Any]


def _buffer(content: bytes) -> tuple[Any, Any]:
    """(pointer to a TF_Buffer, what must stay alive for it)."""
    memory = ctypes.create_string_buffer(content, len(content))
    held = Buffer(ctypes.cast(memory, Pointer), len(content), None)
    return ctypes.byref(held), (memory, held)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


# RunOptions.inter_op_thread_pool = -1: run in the calling thread. For a graph of microseconds most of a call is else spent on handing over.
_IN_CALLER, _IN_CALLER_MEMORY = _buffer(b"\x18" + b"\xff" * 9 + b"\x01")


def _key(feeds: Iterable[str], fetches: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One order of each, and each name once: the session keeps an executor for every spelling that it is asked for, for ever."""
    asked = tuple(fetches)
    return tuple(sorted(feeds)), asked if len(asked) == 1 else tuple(sorted(set(asked)))


class _Plan:
    """One set of feeds and fetches, resolved in the graph."""

    def __init__(self, feeds: Any, fetches: Any, names: tuple[str, ...], fetched: tuple[str, ...]) -> None:
        self.feeds, self.fetches, self.names, self.fetched = feeds, fetches, names, fetched
        self.values = Pointer * len(feeds)
        self.results = Pointer * len(fetches)
        self.pace = Pace()
        # Of all calls, those that failed among them. TensorFlow keeps 800 bytes for ever of each run that has a time limit and fails
        # (LocalRendezvous::StartAbort); whoever sends nothing but wrong requests must not be able to fill the memory with them.
        self.pace_of_all = Pace()


class SessionModel:
    """A `Servable` in one session."""

    def __init__(self, lib: Library, session: int, graph: int, signature_defs: Mapping[str, wire.SignatureDef]) -> None:
        self._lib, self._session, self._graph = lib, session, graph
        self._tensors = Tensors(lib)
        self._plans: dict[tuple[tuple[str, ...], tuple[str, ...]], _Plan] = {}
        self._local = threading.local()
        self.signature_defs = dict(signature_defs)
        self.signatures: Mapping[str, SignatureSpec] = metadata.from_messages(signature_defs)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_seconds: float | None = None) -> list[Array]:
        """See `Servable.run`. A call that is known to be quick runs in the calling thread; neither it nor a quick failure is timed out."""
        key = _key(feeds, fetches)
        plan = self._plans.get(key) or self._resolve(key)
        results = self._paced(plan, feeds, timeout_seconds)
        if plan.fetched == tuple(fetches):
            return results
        found = dict(zip(plan.fetched, results, strict=True))
        return [found[name] for name in fetches]

    def _paced(self, plan: _Plan, feeds: Mapping[str, Array], timeout_seconds: float | None) -> list[Array]:
        if plan.pace.quick:
            started = time.thread_time()
            result = self._run(plan, feeds, _IN_CALLER)
            plan.pace.saw(time.thread_time() - started)
            return result
        options, held = (None, None) if timeout_seconds is None or plan.pace_of_all.quick else _timeout(timeout_seconds)
        wall = time.perf_counter()
        try:
            result = self._run(plan, feeds, options)
        finally:
            seconds = time.perf_counter() - wall
            plan.pace_of_all.saw(seconds)
            del held  # the options had to live until here
        plan.pace.saw(seconds)
        return result

    def quick(self, feeds: Iterable[str], fetches: Iterable[str]) -> bool:
        """See `Servable.quick`."""
        plan = self._plans.get(_key(feeds, fetches))
        return plan is not None and plan.pace.quick

    def _run(self, plan: _Plan, feeds: Mapping[str, Array], options: Any) -> list[Array]:
        lib, tensors = self._lib, self._tensors
        status = self._status()
        values, results = plan.values(), plan.results()
        try:
            for index, name in enumerate(plan.names):
                values[index] = tensors.make(feeds[name])
            lib.SessionRun(
                self._session, options, plan.feeds, values, len(values), plan.fetches, results, len(results), None, 0, None, status
            )
            if lib.GetCode(status):
                lib.check(status)
            return [tensors.read(result or 0) for result in results]
        finally:
            for tensor in (*values, *results):
                if tensor:
                    lib.DeleteTensor(tensor)

    def _status(self) -> int:
        status = getattr(self._local, "status", None)
        if status is None:
            status = self._local.status = _Status(self._lib)
        return int(status.pointer)

    def _resolve(self, key: tuple[tuple[str, ...], tuple[str, ...]]) -> _Plan:
        feeds, fetches = key
        plan = _Plan(self._outputs(feeds, "feed"), self._outputs(fetches, "fetch"), feeds, fetches)
        return self._plans.setdefault(key, plan)

    def _outputs(self, names: Sequence[str], role: str) -> Any:
        outputs = (Output * len(names))()
        for place, name in enumerate(names):
            operation, _, index = name.partition(":")
            found = self._lib.GraphOperationByName(self._graph, operation.encode())
            number = int(index) if index.isdecimal() else 0
            if not found or number >= self._lib.OperationNumOutputs(found):
                raise invalid(f"Tensor {name}, specified in either feed_devices or fetch_devices was not found in the Graph ({role})")
            outputs[place] = Output(found, number)
        return outputs

    def close(self) -> None:
        """See `Servable.close`."""
        session, self._session = self._session, 0
        if session:
            status = _Status(self._lib)
            self._lib.CloseSession(session, status.pointer)
            self._lib.DeleteSession(session, status.pointer)
            self._lib.DeleteGraph(self._graph)


class _Status:
    """A TF_Status that goes with its owner, a thread or a call."""

    def __init__(self, lib: Library) -> None:
        self._delete = lib.DeleteStatus
        self.pointer = lib.NewStatus()

    def __del__(self) -> None:
        self._delete(self.pointer)


def _timeout(seconds: float) -> tuple[Any, Any]:
    """RunOptions with timeout_in_ms; less than a millisecond is one, 0 would mean no limit."""
    return _buffer(b"\x10" + _varint(max(1, int(seconds * 1000))))


def load(path: Path, tags: Sequence[str], session_config: bytes = b"") -> SessionModel:
    """Load a SavedModel of TensorFlow 1 or 2 and run its init op; ``session_config`` is a serialized ConfigProto. Raises StatusError."""
    lib = library()
    status = _Status(lib)
    options, graph, meta = lib.NewSessionOptions(), lib.NewGraph(), lib.NewBuffer()
    try:
        if session_config:
            lib.SetConfig(options, session_config, len(session_config), status.pointer)
            lib.check(status.pointer)
        names = (ctypes.c_char_p * len(tags))(*[tag.encode() for tag in tags])
        session = lib.LoadSessionFromSavedModel(options, None, str(path).encode(), names, len(tags), graph, meta, status.pointer)
        try:
            lib.check(status.pointer)
        except StatusError:
            lib.DeleteGraph(graph)
            raise
        content = ctypes.string_at(meta.contents.data, meta.contents.length)
    finally:
        lib.DeleteBuffer(meta)
        lib.DeleteSessionOptions(options)
    return SessionModel(lib, session, graph, _signature_defs(content))


def _signature_defs(meta_graph: bytes) -> dict[str, wire.SignatureDef]:
    """Copies: a part of a message keeps all of it in memory, here the whole graph with its constants."""
    found = wire.MetaGraphDef.FromString(meta_graph).signature_def
    return {name: wire.SignatureDef.FromString(definition.SerializeToString()) for name, definition in found.items()}
