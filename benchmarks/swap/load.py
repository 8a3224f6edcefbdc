"""The load generator, a process of its own: `python -m benchmarks.swap.load ORDER.json`.

Says ``ready``, reads on its standard input the monotonic time of the first request, prints at the end what became of each. It is light, so
that it is not what is measured: one loop, requests made once, connections kept, an answer like one that was read before is not read again.
It takes precedence over the server where it may: a client on another machine would not wait for the server's processors either.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grpc
import uvloop

from benchmarks.serve import case, tf_serving
from benchmarks.serve.answers import difference
from benchmarks.serve.case import Case
from benchmarks.serve.servers.sluiceway import Sluiceway
from benchmarks.swap.plan import Plan
from benchmarks.swap.report import Asked

PATIENCE = 20.0
"""Seconds after which a request has failed."""
PRECEDENCE = -10
"""Niceness."""


class Wrong(Exception):
    """An answer that is not the right one."""


class Rest:
    """Posts one request again and again, each time on a connection that is free, or else on a new one."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port, self._idle = port, deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._request = head.encode() + body

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            # The one that was idle longest: none becomes so old that the server closes it.
            reader, writer = self._idle.popleft()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self) -> bytes:
        """The body of the answer. Raises Wrong for a status other than 200."""
        reader, writer = await self._connection()
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        if b"connection: close" in lines:
            writer.close()
        else:
            self._idle.append((reader, writer))
        if not lines[0].startswith(b"http/1.1 200"):
            raise Wrong(f"{lines[0].decode()}: {body[:300].decode(errors='replace')}")
        return body


class Known:
    """Tells right answers from wrong ones; an answer like one that was read before is not read again."""

    def __init__(self, read: Callable[[bytes], dict[str, object]], expected: dict[str, object]) -> None:
        self._read, self._expected, self._right = read, expected, set[bytes]()

    def check(self, answer: bytes) -> None:
        """Raises Wrong."""
        if answer not in self._right:
            if wrong := difference(self._expected, self._read(answer)):
                raise Wrong(wrong)
            self._right.add(answer)


class Generator:
    """Asks over both transports."""

    def __init__(self, served: Case, rest_port: int, channel: grpc.aio.Channel) -> None:
        ours, message, call = Sluiceway(), tf_serving.request(served), channel.unary_unary(tf_serving.PREDICT)
        rest = Rest(rest_port, ours.rest_path(served), ours.rest_body(served))
        self._ask: dict[str, Callable[[], Awaitable[bytes]]] = {"REST": rest.ask, "gRPC": lambda: call(message, timeout=PATIENCE)}
        self._known = {
            "REST": Known(lambda body: ours.rest_answer(body, served), served.expected),
            "gRPC": Known(tf_serving.answer, served.expected),
        }
        self.asked: list[Asked] = []

    async def one(self, transport: str, due: float, start: float) -> None:
        """One request and what became of it."""
        sent, error = time.monotonic(), None
        try:
            answer = await asyncio.wait_for(self._ask[transport](), PATIENCE)
            answered = time.monotonic()
            self._known[transport].check(answer)
        except Exception as failure:  # noqa: BLE001 # whatever goes wrong is one request that failed
            answered, error = time.monotonic(), " ".join(f"{type(failure).__name__}: {failure}".split())[:300]
        self.asked.append(Asked(transport, due, sent - start - due, answered - start - due, error))


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """All requests at their times."""
    plan, loop, done = Plan(**order["plan"]), asyncio.get_running_loop(), asyncio.Event()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{order['grpc_port']}") as channel:
        generator, pending = Generator(case.read(Path(order["case"])), order["rest_port"], channel), set[asyncio.Task[None]]()
        print("ready", flush=True)
        start = float(sys.stdin.readline())
        cpu = time.process_time()

        def begin(transport: str, due: float) -> None:
            task = loop.create_task(generator.one(transport, due, start))
            pending.add(task)
            task.add_done_callback(pending.discard)

        def tick() -> None:
            # A thread's sleep is exact to some microseconds, a timer of the loop to a millisecond.
            for due, transport in plan.arrivals():
                time.sleep(max(0.0, start + due - time.monotonic()))
                loop.call_soon_threadsafe(begin, transport, due)
            loop.call_soon_threadsafe(done.set)

        threading.Thread(target=tick, name="tick", daemon=True).start()
        await done.wait()
        await asyncio.gather(*pending)
    return {"asked": [asdict(one) for one in generator.asked], "cores": (time.process_time() - cpu) / plan.end}


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRECEDENCE)
    gc.disable()  # a collection would be seen as a slow answer
    uvloop.install()
    print(json.dumps(asyncio.run(run(order))), flush=True)


if __name__ == "__main__":
    main()
