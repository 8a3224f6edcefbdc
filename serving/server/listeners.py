"""The open ports of a server, and how they are closed without cutting a request off."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import Executor, ThreadPoolExecutor

import grpc
import uvicorn

from configs.errors import SluicewayError
from serving.server.app import App
from serving.server.grpc_api import GrpcApi
from serving.server.models import Models
from serving.server.rest_api import RestApi

_BACKLOG = 2048


def request_threads() -> int:
    """Threads for the requests of one API: TF Serving's number, four for each processor."""
    return 4 * (os.cpu_count() or 1)


class GrpcListener:
    """The gRPC API on a TCP port. ``port`` 0 takes any free one."""

    def __init__(self, models: Models, bind: str, port: int) -> None:
        # Without the last option a second server could bind the same port and get half of the requests.
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        self._executor = ThreadPoolExecutor(request_threads(), thread_name_prefix="grpc")
        self._server = grpc.server(self._executor, options=options)
        self._server.add_generic_rpc_handlers(GrpcApi(models).handlers())
        address = f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise SluicewayError(f"cannot listen on {address} for gRPC: is the port taken?") from error
        if not self.port:
            raise SluicewayError(f"cannot listen on {address} for gRPC: is the port taken?")
        self._server.start()

    def stop(self, grace_seconds: float) -> None:
        """Take no new request, and wait for those under way."""
        self._server.stop(grace_seconds).wait()
        self._executor.shutdown(wait=False, cancel_futures=True)


class RestListener:
    """The REST API on a TCP port, uvicorn's loop in a thread of its own. ``port`` 0 takes any free one."""

    def __init__(self, models: Models, bind: str, port: int) -> None:
        # With the protocol named, asyncio turns Nagle's delay off; without, every answer would wait 40 ms for an acknowledgement.
        self._socket = socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((bind, port))
        except OSError as error:
            self._socket.close()
            raise SluicewayError(f"cannot listen on {bind}:{port} for REST: {error.strerror}") from error
        self._socket.listen(_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._executor: Executor = ThreadPoolExecutor(request_threads(), thread_name_prefix="rest")
        self._config = uvicorn.Config(
            App(RestApi(models), self._executor), lifespan="off", log_config=None, access_log=False, ws="none", server_header=False
        )
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(target=self._serve, name="rest", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self, grace_seconds: float) -> None:
        """Take no new request, and wait for those under way."""
        self._config.timeout_graceful_shutdown = max(1, round(grace_seconds))
        self._server.should_exit = True
        self._thread.join(grace_seconds + 1)
        self._executor.shutdown(wait=False, cancel_futures=True)


class Listeners:
    """All open ports of a server. ``port`` is None for an API that is not wanted."""

    def __init__(self, models: Models, bind: str, *, grpc_port: int | None, rest_port: int | None) -> None:
        self.grpc = None if grpc_port is None else GrpcListener(models, bind, grpc_port)
        try:
            self.rest = None if rest_port is None else RestListener(models, bind, rest_port)
        except SluicewayError:
            self.stop_grpc(0)
            raise

    def stop_grpc(self, grace_seconds: float) -> None:
        """Close the gRPC port, if it is open."""
        if self.grpc is not None:
            self.grpc.stop(grace_seconds)

    def stop(self, grace_seconds: float) -> None:
        """Close both ports at the same time, then give what is under way until the grace is over."""
        deadline = time.monotonic() + grace_seconds
        closing = threading.Thread(target=self.stop_grpc, args=(grace_seconds,), daemon=True)
        closing.start()
        if self.rest is not None:
            self.rest.stop(grace_seconds)
        closing.join(max(0.0, deadline - time.monotonic()) + 1)
