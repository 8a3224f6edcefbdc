"""One request to a server that was just started, over each transport, with its answer checked before anything is measured."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from benchmarks.serve.answers import difference
from benchmarks.serve.process import Running
from benchmarks.serve.servers.base import Server, Start

PATIENCE = 120.0
"""Seconds from the start to the first answer; Ray takes half a minute when the machine is busy."""
AFTERWARDS = 20.0
"""Seconds to the first answer over the second transport."""


class NotServed(Exception):
    """The server did not start, or answered wrongly; the message says which."""


def rest(server: Server, start: Start, url: str, body: bytes, process: Running) -> None:
    """Waits for the first REST answer and checks it. Raises NotServed."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})

    def post() -> bytes:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: bytes = response.read()
            return answer

    answer = _patiently(post, process, PATIENCE)
    _check("REST", lambda: difference(start.case.expected, server.rest_answer(answer, start.case)))


def grpc(server: Server, start: Start, message: bytes, process: Running) -> int:
    """Waits for the first gRPC answer, from a proper client, and checks it; gives the length of the answer. Raises NotServed."""
    import grpc as library

    with library.insecure_channel(f"127.0.0.1:{start.grpc_port}", [("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary(server.grpc_path)
        answer = _patiently(lambda: call(message, timeout=30), process, AFTERWARDS)
    _check("gRPC", lambda: difference(start.case.expected, server.grpc_answer(answer, start)))
    return len(answer)


def _patiently(call: Callable[[], bytes], process: Running, patience: float) -> bytes:
    """What the call gives once it succeeds."""
    from grpc import RpcError

    deadline = time.monotonic() + patience
    while True:
        try:
            return call()
        except urllib.error.HTTPError as error:
            said = f"{error.code} {error.read(300).decode(errors='replace')}"
        except (OSError, RpcError) as error:
            said = " ".join(str(error).split())[:300]
        if (code := process.ended()) is not None:
            raise NotServed(f"ended with {code}: {process.last_words()}")
        if time.monotonic() > deadline:
            raise NotServed(f"no answer in {patience:.0f} s ({said}): {process.last_words()}")
        time.sleep(0.3)


def _check(transport: str, compare: Callable[[], str | None]) -> None:
    try:
        wrong = compare()
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise NotServed(f"{transport}: the answer has another form: {error!r}") from error
    if wrong:
        raise NotServed(f"{transport}: {wrong}")
