"""tensorflow.ProfilerService on the server's own port: its calls go, as they come, to TensorFlow's profiler server on this machine.

The service can keep a server busy and writes traces to a folder that its caller names, so that it is for those who may change the server;
with ``strict``, as upstream, for everyone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import grpc

from serving.protocol.status import StatusError

SERVICE = "tensorflow.ProfilerService"
# The last three came after TensorFlow 2.16, whose server says so itself.
METHODS = ("Profile", "Terminate", "Monitor", "StartContinuousProfiling", "StopContinuousProfiling", "GetSnapshot")

_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),  # the other end is this machine, whatever the environment says about proxies
]
_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}
_LONGEST_SECONDS = 24 * 3600.0

Guard = Callable[[grpc.ServicerContext], "StatusError | None"]


def _start() -> int:
    from serving.server.runtime import profiler_server  # TensorFlow's Python modules, for those who profile

    return profiler_server.start()


class Profiler:
    """The service. ``start`` opens TensorFlow's server, at the first call, and returns its port; ``guard`` says why a caller is refused."""

    def __init__(self, guard: Guard = lambda _: None, start: Callable[[], int] = _start) -> None:
        self._guard, self._start = guard, start
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """The route table. Messages stay bytes."""
        methods = {name: grpc.unary_unary_rpc_method_handler(self._pass_on(f"/{SERVICE}/{name}")) for name in METHODS}
        return [grpc.method_handlers_generic_handler(SERVICE, methods)]

    def close(self) -> None:
        """End the calls under way."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _pass_on(self, path: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                if (refused := self._guard(context)) is not None:
                    raise refused
                channel = self._connected()
            except StatusError as error:
                context.abort(_GRPC_CODES[int(error.code)], error.message)
            remaining = context.time_remaining()
            call = channel.unary_unary(path).future(request, timeout=None if remaining is None else min(remaining, _LONGEST_SECONDS))
            if not context.add_callback(call.cancel):
                call.cancel()
            try:
                response: bytes = call.result()
            except grpc.RpcError:
                context.abort(call.code(), call.details())
            except grpc.FutureCancelledError:
                context.abort(grpc.StatusCode.CANCELLED, "the profiler is closed, or its caller left")
            return response

        return answer

    def _connected(self) -> grpc.Channel:
        with self._lock:
            if self._channel is None:
                self._channel = grpc.insecure_channel(f"127.0.0.1:{self._start()}", options=_OPTIONS)
            return self._channel
