"""From flags to a running server process and back: what starts in which order, and how it ends."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from serving.protocol.status import Code, StatusError
from serving.server import channel_arguments, savedmodel, tls
from serving.server import flags as command_line
from serving.server.app import HttpSettings
from serving.server.assembly import Parts, assemble
from serving.server.cluster import LocalCluster
from serving.server.config_file import ConfigFile, configured
from serving.server.core import Cluster
from serving.server.flags import Flags
from serving.server.listeners import GrpcSettings, Listeners, RestSettings
from serving.server.manager import StartFailed
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.ports import Ports, announce, ports_of
from serving.server.schemas import ssl
from serving.server.signals import end_on_signals, wait_for_end

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_APPLY_SECONDS = 0.5


@dataclass(frozen=True)
class Membership:
    """What a process is told that is one of several behind the same ports.

    ``configs``: the models to start with, None: those of the flags. ``again``: it takes the place of one that ended. ``serving`` is told of
    each list of models that the flags or the config file put in force.
    """

    ports: Ports
    share: Callable[[LocalCluster, Metrics], Cluster]
    listening: Callable[[], None]
    configs: tuple[ModelConfig, ...] | None = None
    again: bool = False
    serving: Callable[[tuple[ModelConfig, ...]], None] = lambda _: None


def run(flags: Flags, membership: Membership | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises SluicewayError when the server cannot start."""
    command_line.check(flags)
    stop = threading.Event()
    if not flags.strict:  # upstream has no handler: the signal ends it where it stands
        end_on_signals(stop)
    for line in command_line.unused(flags):
        log.info(line)
    started = time.monotonic()
    runtime = savedmodel.import_runtime(quiet=not flags.verbose)
    log.info("TensorFlow %s ready in %.2f s", runtime, time.monotonic() - started)
    parts = assemble(flags, membership.share if membership is not None else None)
    parts.metrics.build(_own_version(), runtime, platform.python_version())
    try:
        _serve(parts, stop, membership)
    finally:
        parts.close()


def _serve(parts: Parts, stop: threading.Event, membership: Membership | None) -> None:
    flags = parts.flags
    configs = membership.configs if membership is not None and membership.configs is not None else configured(flags)
    ports = membership.ports if membership is not None else ports_of(flags)

    def apply(found: tuple[ModelConfig, ...]) -> None:
        try:
            _apply(parts, found)
        finally:
            # A list is in force although one of its models did not come up.
            if membership is not None and parts.manager.configs == found:
                membership.serving(found)

    file = ConfigFile(flags.model_config_file, flags.model_config_file_poll_wait_seconds, apply)
    again = membership is not None and membership.again
    if flags.ports_file is not None and not again:
        # Whoever wants the ports wants to see the load happen, and to read why it failed: open first, load later.
        with _OpenPorts(parts, ports, shared=membership is not None) as listeners:
            if membership is None:
                announce(flags.ports_file, listeners.ports)
            _start(parts, configs)
            if membership is not None:
                membership.serving(configs)
                membership.listening()
            file.start()
            wait_for_end(stop)
            file.stop()
        return
    _start(parts, configs)
    if _caught_up(parts, stop) if again else parts.manager.wait_until_available(stop):
        with _OpenPorts(parts, ports, shared=membership is not None):
            if membership is not None:
                membership.serving(configs)
                membership.listening()
            file.start()
            wait_for_end(stop)
            file.stop()


def _caught_up(parts: Parts, stop: threading.Event) -> bool:
    """Wait until this process answers for every model that the others answer for; False when told to stop."""
    while not stop.is_set():
        seen = parts.models.generation
        names = [config.name for config in parts.manager.configs if not parts.models.ready(config.name)]
        if all(parts.core.cluster.unready(name) is not None for name in names):
            return True
        parts.models.wait_for_change(seen, _LOOK_SECONDS)
    return False


def _start(parts: Parts, configs: tuple[ModelConfig, ...]) -> None:
    parts.manager.start(configs)
    try:
        parts.follow(configs)
    except StatusError as error:
        raise StartFailed(f"{error.code.name}: {error.message}") from error


def _apply(parts: Parts, configs: tuple[ModelConfig, ...]) -> None:
    if configs == parts.manager.configs:
        return
    try:
        # Not waiting for new models: the next look may bring the remedy for one that never comes. Upstream waits for ever.
        parts.manager.reload(configs, None if parts.flags.strict else _APPLY_SECONDS)
    except StatusError as error:
        if error.code is not Code.DEADLINE_EXCEEDED:
            raise
    finally:
        if parts.manager.configs == configs:
            parts.follow(configs)


class _OpenPorts:
    """The ports, for the time of a block. Leaving it drains them."""

    def __init__(self, parts: Parts, ports: Ports, *, shared: bool) -> None:
        self._parts, flags = parts, parts.flags
        credentials = None
        if flags.ssl_config_file:
            credentials = tls.grpc_credentials(ssl.from_file(flags.ssl_config_file))
        elif flags.use_alts_credentials:
            credentials = tls.alts_credentials()
        for_grpc = GrpcSettings(
            bind=flags.bind,
            port=ports.grpc,
            socket_path=flags.grpc_socket_path,
            threads=flags.grpc_max_threads,
            credentials=credentials,
            channel_arguments=channel_arguments.parse(flags.grpc_channel_arguments),
            largest_message=flags.max_request_bytes,
            share_port=shared,
            steal_socket=flags.strict,
        )
        for_rest = RestSettings(
            bind=flags.bind,
            port=ports.rest or 0,
            threads=flags.rest_api_num_threads,
            tls=tls.rest_context(flags),
            http=HttpSettings(flags.rest_api_enable_cors_support, flags.max_request_bytes),
            share_port=shared,
        )
        wants_grpc = ports.grpc is not None or bool(flags.grpc_socket_path)
        self._listeners = Listeners(
            parts.grpc_api(),
            parts.rest_api(),
            parts.pages(),
            for_grpc if wants_grpc else None,
            for_rest if ports.rest is not None else None,
        )

    def __enter__(self) -> Listeners:
        opened = [(name, listener.port) for name, listener in vars(self._listeners).items() if listener is not None and listener.port]
        log.info("listening: %s", ", ".join(f"{name} on port {port}" for name, port in opened) or self._parts.flags.grpc_socket_path)
        return self._listeners

    def __exit__(self, *_: object) -> None:
        grace = self._parts.flags.drain_seconds
        log.info("stopping: no new requests, up to %.0f s for those under way", grace)
        self._parts.local.drain()
        self._listeners.stop(grace)


def _own_version() -> str:
    try:
        return metadata.version("sluiceway")
    except metadata.PackageNotFoundError:
        return "(not installed)"
