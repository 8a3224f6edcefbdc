"""The open ports of a server, and how they are closed without cutting a request off."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import uvicorn
import uvloop

from configs.errors import SluicewayError
from serving.server.app import App, HttpSettings
from serving.server.grpc_api import GrpcApi
from serving.server.http_protocol import BoundedHttpProtocol
from serving.server.pages import Pages
from serving.server.ports import Ports
from serving.server.rest_api import RestApi

_BACKLOG = 2048
# Longer than load balancers and clients keep an idle connection (usually up to a minute): whoever closes first must not be the one to whom
# the next request is already on its way.
_KEEP_ALIVE_SECONDS = 75
_CONNECT_SECONDS = 1.0
_LARGEST_MESSAGE = 2**31 - 1


def request_threads() -> int:
    """Threads for the requests of one API: TF Serving's number, four for each processor."""
    return 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class GrpcSettings:
    """How the gRPC port is opened. ``port`` 0 takes any free one, None opens none; ``socket_path`` opens a unix socket, too.

    ``steal_socket``: also one on which another server listens, as upstream does.
    """

    bind: str = "127.0.0.1"
    port: int | None = 0
    socket_path: str = ""
    threads: int = 0
    credentials: Any = None
    channel_arguments: Sequence[tuple[str, int | str]] = ()
    largest_message: int = 0
    share_port: bool = False
    steal_socket: bool = False


@dataclass(frozen=True)
class RestSettings:
    """How the REST port is opened. ``port`` 0 takes any free one; ``share_port`` lets other processes of this user listen on it, too."""

    bind: str = "127.0.0.1"
    port: int = 0
    threads: int = 0
    tls: ssl.SSLContext | None = None
    http: HttpSettings = HttpSettings()
    share_port: bool = False


class GrpcListener:
    """The gRPC API on a TCP port, a unix socket, or both."""

    def __init__(self, api: GrpcApi, settings: GrpcSettings) -> None:
        # gRPC puts its own socket in the place of any other: the requests of a server that listens there would go astray.
        if settings.socket_path and not settings.steal_socket and _answers(settings.socket_path):
            raise SluicewayError(f"cannot listen on unix:{settings.socket_path} for gRPC: another server listens there")
        options = [
            ("grpc.max_send_message_length", _LARGEST_MESSAGE),
            ("grpc.max_receive_message_length", settings.largest_message or _LARGEST_MESSAGE),
            # Unless workers share a port on purpose, a second server on it would get half of the requests.
            ("grpc.so_reuseport", int(settings.share_port)),
            *settings.channel_arguments,
        ]
        self._api = api
        self._executor = ThreadPoolExecutor(settings.threads or request_threads(), thread_name_prefix="grpc")
        self._server = grpc.server(self._executor, options=options)
        self._server.add_generic_rpc_handlers(api.handlers())
        self._share = settings.share_port
        self.port: int | None = None
        if settings.port is not None:
            host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
            self.port = self._open(f"{host}:{settings.port}", (settings.bind, settings.port), settings.credentials)
        if settings.socket_path:
            self._open(f"unix:{settings.socket_path}", settings.socket_path, settings.credentials)
        self._server.start()

    def _open(self, address: str, where: tuple[str, int] | str, credentials: Any) -> int:
        try:
            server = self._server
            port = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise SluicewayError(f"cannot listen on {address} for gRPC: {self._why_not(where, credentials)}") from error
        if not port:
            raise SluicewayError(f"cannot listen on {address} for gRPC: {self._why_not(where, credentials)}")
        return int(port)

    def _why_not(self, where: tuple[str, int] | str, credentials: Any) -> str:
        """A plain socket says it; all that gRPC says is that it failed."""
        reason = _refusal(where, share=self._share)
        if reason is not None:
            return reason
        if credentials is not None:
            return "its credentials do not work on this machine (ALTS does on Google Cloud only)"
        return "gRPC refuses it without a reason"

    def stop(self, grace_seconds: float) -> None:
        """Take no new request, and wait for those under way."""
        self._api.drain()
        self._server.stop(grace_seconds).wait()
        self._executor.shutdown(wait=False, cancel_futures=True)


def _refusal(where: tuple[str, int] | str, *, share: bool) -> str | None:
    """The operating system's reason against a socket at an address and port, or at a path; None when it has none."""
    try:
        if isinstance(where, str):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.bind(where)
            Path(where).unlink()
        else:
            with _bound(*where, share=share):
                pass
    except OSError as error:
        return error.strerror or str(error)
    return None


def _answers(path: str) -> bool:
    """Does a server listen on the unix socket at this path?"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        try:
            probe.connect(path)
        except (TimeoutError, BlockingIOError):
            return True  # its queue of callers is full
        except OSError:
            return False
    return True


def listening_socket(bind: str, port: int, *, share: bool = False) -> socket.socket:
    """A listening TCP socket. ``share`` lets other sockets of this user listen on the same port. Raises SluicewayError."""
    try:
        opened = _bound(bind, port, share=share)
        opened.listen(_BACKLOG)
    except OSError as error:
        raise SluicewayError(f"cannot listen on {bind}:{port} for REST: {error.strerror}") from error
    return opened


def _bound(bind: str, port: int, *, share: bool) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's delay off; without, every answer would wait 40 ms for an acknowledgement.
    opened = socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        opened.bind((bind, port))
    except OSError:
        opened.close()
        raise
    return opened


class RestListener:
    """The REST API on a TCP port, uvicorn's loop in a thread of its own."""

    def __init__(self, api: RestApi, pages: Pages, settings: RestSettings) -> None:
        self._socket = listening_socket(settings.bind, settings.port, share=settings.share_port)
        self.port: int = self._socket.getsockname()[1]
        self._executor: Executor = ThreadPoolExecutor(settings.threads or request_threads(), thread_name_prefix="rest")
        app = App(api, pages, self._executor, settings.http)
        self._config = uvicorn.Config(
            app,
            http=BoundedHttpProtocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._config.ssl = settings.tls
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(target=self._serve, name="rest", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        loop = uvloop.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        finally:
            loop.close()

    def stop(self, grace_seconds: float) -> None:
        """Take no new request, and wait for those under way."""
        self._config.timeout_graceful_shutdown = max(1, round(grace_seconds))
        self._server.should_exit = True
        self._thread.join(grace_seconds + 1)
        self._executor.shutdown(wait=False, cancel_futures=True)


class Listeners:
    """All open ports of a server. Settings that are None: no such API."""

    def __init__(
        self, grpc_api: GrpcApi, rest_api: RestApi, pages: Pages, for_grpc: GrpcSettings | None, for_rest: RestSettings | None
    ) -> None:
        self.grpc = None if for_grpc is None else GrpcListener(grpc_api, for_grpc)
        try:
            self.rest = None if for_rest is None else RestListener(rest_api, pages, for_rest)
        except SluicewayError:
            self._stop_grpc(0)
            raise

    @property
    def ports(self) -> Ports:
        """The numbers of the open ports."""
        return Ports(None if self.grpc is None else self.grpc.port, None if self.rest is None else self.rest.port)

    def _stop_grpc(self, grace_seconds: float) -> None:
        if self.grpc is not None:
            self.grpc.stop(grace_seconds)

    def stop(self, grace_seconds: float) -> None:
        """Close all ports at the same time, then give what is under way until the grace is over."""
        deadline = time.monotonic() + grace_seconds
        closing = threading.Thread(target=self._stop_grpc, args=(grace_seconds,), daemon=True)
        closing.start()
        if self.rest is not None:
            self.rest.stop(grace_seconds)
        closing.join(max(0.0, deadline - time.monotonic()) + 1)
