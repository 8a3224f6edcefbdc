"""A gateway's process: the socket, the loop, the end.

starting -> ready -> draining (SIGTERM, SIGINT: no new connections, requests under way end) -> gone
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from configs.errors import UsageError
from configs.gateway import GatewayConfig
from serving.gateway.app import build
from serving.gateway.follow import ENVIRONMENT, ConfigFile, follow, keys_stand_in
from serving.gateway.state import Gateway
from serving.gateway.unserved import look
from serving.server.http_protocol import BoundedHttpProtocol

log = logging.getLogger(__name__)

_BACKLOG = 2048


async def serve(
    config: GatewayConfig, followed: ConfigFile | None = None, ports_file: Path | None = None, store: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way end.

    Args:
        followed: a file whose changes are put in force.
        ports_file: where the port is written when requests are taken.
        store: see `Gateway`.

    Raises:
        SluicewayError: the configuration cannot be put in force.
        UsageError: the address cannot be listened on.
    """
    with contextlib.ExitStack() as opened:
        with keys_stand_in(ENVIRONMENT if followed is None else followed.place):
            gateway = Gateway(config, store)
            application = build(gateway)
            sock = opened.enter_context(listening(config.host, config.port))
        host, port = sock.getsockname()[:2]
        server = _Server(
            uvicorn.Config(
                application,
                http=BoundedHttpProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=config.limits.drain_seconds,
                timeout_keep_alive=75,
                proxy_headers=bool(config.trusted_proxies),
                forwarded_allow_ips=list(config.trusted_proxies),
            ),
            gateway,
        )
        beside = [asyncio.create_task(look(gateway))]
        if followed is not None:
            beside.append(asyncio.create_task(_follow(followed, gateway)))
        log.info("gateway on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        if ports_file is not None:
            partial = ports_file.with_name(f".{ports_file.name}.partial")
            partial.write_text(json.dumps({"http": port}), encoding="utf-8")
            partial.replace(ports_file)
        # What was loaded stays: the collector need not look at it again and again.
        gc.freeze()
        try:
            await server.serve(sockets=[sock])
        finally:
            for task in beside:
                task.cancel()
            await gateway.close()
    log.info("gateway stopped")


async def _follow(followed: ConfigFile, gateway: Gateway) -> None:
    looking: set[asyncio.Task[None]] = set()

    def apply(config: GatewayConfig) -> None:
        gateway.put_in_force(config)
        looking.add(task := asyncio.get_running_loop().create_task(look(gateway)))
        task.add_done_callback(looking.discard)

    await follow(followed, apply, lambda result: gateway.metrics.reloads.labels(result).inc())


class _Server(uvicorn.Server):  # type: ignore[misc] # followed no further than its name
    """uvicorn's, which tells the gateway that it ends."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway, self._asked = gateway, False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Its own hook; signals are not raised again at the end, for an asked-for end is a good one."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self._gateway.draining = True
        # Who asks twice does not want to wait.
        self.force_exit = self._asked
        self.should_exit = self._asked = True


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket. Raises UsageError: the address is none, or taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # With its protocol named: without it asyncio leaves Nagle's algorithm on, and an answer waits 40 ms for an acknowledgement.
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"host: {host!r} is no address of this machine") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port: {host}:{port} is taken; stop who has it, or give another") from error
        raise UsageError(f"host: {host}:{port} cannot be listened on: {os.strerror(error.errno or 0)}") from error
    with sock:
        yield sock
