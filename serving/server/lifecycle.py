"""From flags to a running server and back: what starts in which order, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from configs.errors import SluicewayError, UsageError
from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server import savedmodel, warmup
from serving.server.flags import Flags
from serving.server.listeners import Listeners
from serving.server.models import Models
from serving.server.servable import Servable
from serving.server.watcher import Retries, Watcher

log = logging.getLogger(__name__)

GRACE_SECONDS = 10.0


class StartFailed(SluicewayError):
    """No version of the model could be loaded, and there is nothing else to serve."""


def run(flags: Flags) -> None:
    """Serve until SIGTERM or SIGINT. Raises SluicewayError when the server cannot start."""
    if not flags.model_base_path:
        raise UsageError("Both server_options.model_base_path and server_options.model_config_file are empty!")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    started = time.monotonic()
    runtime = savedmodel.import_runtime()
    log.info("TensorFlow %s ready in %.2f s", runtime, time.monotonic() - started)

    models = Models()
    watcher = Watcher(
        models,
        flags.model_name,
        Path(flags.model_base_path),
        loader(flags),
        poll_seconds=flags.file_system_poll_wait_seconds,
        retries=Retries(flags.max_num_load_retries, flags.load_retry_interval_micros / 1e6),
    )
    if flags.ports_file is not None:
        # Whoever wants the ports wants to see the load happen, and to read why it failed: open first, load later.
        with _OpenPorts(flags, models) as listeners:
            _announce(flags.ports_file, listeners)
            watcher.start()
            stop.wait()
            watcher.stop()
        return
    watcher.start()
    if wait_for_model(models, flags.model_name, watcher, stop):
        with _OpenPorts(flags, models):
            stop.wait()
            watcher.stop()


def loader(flags: Flags) -> Callable[[Path], Servable]:
    """How a version directory becomes a model that may answer: loaded, then warmed up."""

    def load(path: Path) -> Servable:
        model = savedmodel.load(path)
        records = path / warmup.WARMUP_FILE
        if flags.enable_model_warmup and records.is_file():
            try:
                count = warmup.warm_up(model, records, savedmodel.read_records(records), flags.num_request_iterations_for_warmup)
            except StatusError:
                model.close()
                raise
            log.info("warmed up %s with %d records", path, count)
        return model

    return load


class _OpenPorts:
    """The ports, for the time of a block. Leaving it drains them."""

    def __init__(self, flags: Flags, models: Models) -> None:
        any_port = flags.ports_file is not None
        self._listeners = Listeners(
            models,
            flags.bind,
            grpc_port=flags.port if flags.port or any_port else None,
            rest_port=flags.rest_api_port if flags.rest_api_port or any_port else None,
        )

    def __enter__(self) -> Listeners:
        ports = [(name, listener.port) for name, listener in vars(self._listeners).items() if listener is not None]
        log.info("listening: %s", ", ".join(f"{name} on port {port}" for name, port in ports))
        return self._listeners

    def __exit__(self, *_: object) -> None:
        log.info("stopping: no new requests, up to %.0f s for those under way", GRACE_SECONDS)
        self._listeners.stop(GRACE_SECONDS)


def wait_for_model(models: Models, model: str, watcher: Watcher, stop: threading.Event, poll_seconds: float = 0.05) -> bool:
    """Wait until a version is available; False when told to stop. Raises StartFailed when all that was found failed to load.

    A directory that is missing, empty or incomplete is waited for: it may be on its way.
    """
    while not stop.wait(poll_seconds):
        if State.AVAILABLE in models.states(model).values():
            return True
        if watcher.gave_up:
            raise StartFailed(_not_available(model, [status for status in models.statuses(model) if status.code is not Code.OK]))
    return False


def _not_available(model: str, failed: list[VersionStatus]) -> str:
    listed = "".join(
        f"{{name: {model} version: {status.version}}} due to error: {status.code.name}: {status.message}, " for status in failed
    )
    return f"UNKNOWN: {len(failed)} servable(s) did not become available: {{{listed}}}"


def _announce(ports_file: Path, listeners: Listeners) -> None:
    """Write the ports in one piece: a reader sees all of the file or none of it."""
    ports = {
        "grpc": listeners.grpc.port if listeners.grpc else None,
        "rest": listeners.rest.port if listeners.rest else None,
        "pid": os.getpid(),
    }
    partial = ports_file.with_name(f"{ports_file.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(ports), encoding="utf-8")
    partial.replace(ports_file)
