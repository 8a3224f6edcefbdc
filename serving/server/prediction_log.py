"""A sampled log of requests with their answers, as TF Serving's PredictionLog records.

The files can be read by everything that reads warm-up files, and be one: ``assets.extra/tf_serving_warmup_requests`` is a file of
PredictionLog records as well. Requests never wait for the log: what it cannot take is dropped and counted.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serving.protocol import wire_pb2 as wire
from serving.protocol.status import Code
from serving.server.model_config import LoggingSettings
from serving.server.record_files import RecordFiles

log = logging.getLogger(__name__)

Counted = Callable[[str, "int | None", Code], None]


@dataclass(frozen=True)
class LogLimits:
    """How much waits in memory, how large a file grows, and for how long records are gathered before they are written."""

    queue_bytes: int = 64 << 20
    file_bytes: int = 256 << 20
    gather_seconds: float = 0.2


@dataclass(frozen=True)
class _Entry:
    """A record on its way to the file of its model."""

    model: str
    version: int | None
    prefix: str
    content: bytes


def metadata(model: str, signature: str, version: int | None, sampling_rate: float) -> wire.LogMetadata:
    """What a record says about itself: the model and signature as they were asked for, and the version that answered."""
    spec = wire.ModelSpec(name=model, signature_name=signature)
    if version is not None:
        spec.version.value = version
    return wire.LogMetadata(model_spec=spec, sampling_config=wire.SamplingConfig(sampling_rate=sampling_rate))


class PredictionLogger:
    """Logs part of the requests of each model that ``settings`` names. Every method may be called from many threads.

    ``counted(model, version, code)`` is told of each request that was chosen: OK when it is in a file, RESOURCE_EXHAUSTED when too many
    waited, UNAVAILABLE when its file could not be written.
    """

    def __init__(
        self,
        settings: Mapping[str, LoggingSettings],
        counted: Counted = lambda _model, _version, _code: None,
        limits: LogLimits = LogLimits(),
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = dict(settings)
        self._counted, self._limits, self._draw = counted, limits, draw
        self._changed = threading.Condition()
        self._waiting: deque[_Entry] = deque()
        self._bytes = 0
        self._closing = False
        self._writer: threading.Thread | None = None
        self._files: dict[str, RecordFiles] = {}
        self._failing: set[str] = set()

    def configure(self, settings: Mapping[str, LoggingSettings]) -> None:
        """Replace the settings of all models. Files that no model uses any more are closed soon."""
        with self._changed:
            self._settings = dict(settings)
            self._changed.notify()

    def log_predict(self, request: wire.PredictRequest, response: wire.PredictResponse, version: int | None) -> None:
        """Log a predict request, or not."""
        self._log(request.model_spec, "predict_log", request, response, version)

    def log_classify(self, request: wire.ClassificationRequest, response: wire.ClassificationResponse, version: int | None) -> None:
        """Log a classify request, or not."""
        self._log(request.model_spec, "classify_log", request, response, version)

    def log_regress(self, request: wire.RegressionRequest, response: wire.RegressionResponse, version: int | None) -> None:
        """Log a regress request, or not."""
        self._log(request.model_spec, "regress_log", request, response, version)

    def log_multi_inference(self, request: wire.MultiInferenceRequest, response: wire.MultiInferenceResponse, version: int | None) -> None:
        """Log a multi-inference request, or not. All its tasks are of one model."""
        name = request.tasks[0].model_spec.name if request.tasks else ""
        self._log(wire.ModelSpec(name=name), "multi_inference_log", request, response, version)

    def _log(self, spec: wire.ModelSpec, kind: str, request: Any, response: Any, version: int | None) -> None:
        model = spec.name
        settings = self._settings.get(model)
        # What is drawn is below 1, so a rate of 1 takes every request and a rate of 0 none.
        if settings is None or self._draw() >= settings.sampling_rate:
            return
        code = Code.RESOURCE_EXHAUSTED
        if self._bytes < self._limits.queue_bytes:  # before the work of making a record that would be dropped
            try:
                record = wire.PredictionLog(log_metadata=metadata(model, spec.signature_name, version, settings.sampling_rate))
                pair = getattr(record, kind)
                pair.request.CopyFrom(request)
                pair.response.CopyFrom(response)
                if self._put(_Entry(model, version, settings.prefix, record.SerializeToString())):
                    return
            except Exception:  # a request that was answered must not fail because it cannot be logged
                log.exception("a request of %s cannot be logged", model)
                code = Code.INTERNAL
        self._counted(model, version, code)

    def _put(self, entry: _Entry) -> bool:
        with self._changed:
            if self._closing or self._bytes + len(entry.content) > self._limits.queue_bytes:
                return False
            self._waiting.append(entry)
            self._bytes += len(entry.content)
            if self._writer is None:  # here, not at the start: a worker process forks in between, and threads do not
                self._writer = threading.Thread(target=self._run, name="prediction-log", daemon=True)
                self._writer.start()
            self._changed.notify()
            return True

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits, for ``timeout`` seconds at most, and take no more."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            writer = self._writer
        if writer is not None:
            writer.join(timeout)
            if writer.is_alive():
                log.warning("prediction log: still writing after %.0f s, the rest is lost", timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing or self._unused())
                if self._waiting:
                    self._changed.wait_for(self._hurry, self._limits.gather_seconds)
                entries = list(self._waiting)
                self._waiting.clear()
                unused, ending = self._unused(), self._closing
            try:
                self._write(entries)
            except Exception:  # the log must outlive whatever one batch of it meets
                log.exception("prediction log: %d records lost", len(entries))
            with self._changed:
                # Only now: a disk that is slow must show up as a full queue, not as memory.
                self._bytes -= sum(len(entry.content) for entry in entries)
            for prefix in [*self._files] if ending else unused:
                self._files.pop(prefix).close()
            if ending:
                return

    def _hurry(self) -> bool:
        return self._closing or self._bytes > self._limits.queue_bytes // 2

    def _unused(self) -> list[str]:
        used = {settings.prefix for settings in self._settings.values()}
        return [prefix for prefix in self._files if prefix not in used]

    def _write(self, entries: list[_Entry]) -> None:
        by_prefix: dict[str, list[_Entry]] = {}
        for entry in entries:
            by_prefix.setdefault(entry.prefix, []).append(entry)
        for prefix, group in by_prefix.items():
            files = self._files.setdefault(prefix, RecordFiles(prefix, self._limits.file_bytes))
            while group:
                try:
                    written = files.append([entry.content for entry in group])
                except OSError as error:
                    self._tell(prefix, error)
                    self._count(group, Code.UNAVAILABLE)
                    break
                self._tell(prefix, None)
                self._count(group[:written], Code.OK)
                group = group[written:]

    def _count(self, entries: list[_Entry], code: Code) -> None:
        for entry in entries:
            self._counted(entry.model, entry.version, code)

    def _tell(self, prefix: str, error: OSError | None) -> None:
        """Log that a file cannot be written once, and once that it can be again."""
        if error is not None and prefix not in self._failing:
            self._failing.add(prefix)
            log.error("prediction log %s: %s; requests go unlogged until this is mended", prefix, error.strerror or error)
        elif error is None and prefix in self._failing:
            self._failing.discard(prefix)
            log.info("prediction log %s: can be written again", prefix)
