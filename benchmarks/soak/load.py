"""A number of requests of one kind: with h2load where it is installed, else with threads of this process."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from struct import pack

import grpc

from benchmarks.soak.mix import Kind

CLIENTS = 8
_SECONDS = 60.0
_PREFIX = 5  # bytes before each message of gRPC


class LoadFailed(Exception):
    """Requests that got no answer, or another one than their kind must get."""


Send = Callable[[Kind, int], None]


def sender(rest: str, grpc_address: str, folder: Path, *, plain: bool = False) -> tuple[str, Send]:
    """What sends, by name, to these addresses (``http://host:port``, ``host:port``). ``plain``: threads, h2load or not."""
    if plain or shutil.which("h2load") is None:
        return "threads", lambda kind, count: _with_threads(rest, grpc_address, kind, count)
    return "h2load", lambda kind, count: _with_h2load(rest, grpc_address, folder, kind, count)


def _with_h2load(rest: str, grpc_address: str, folder: Path, kind: Kind, count: int) -> None:
    clients = min(CLIENTS, count)
    command = ["h2load", "--threads=1", f"--clients={clients}", f"--requests={count}", "--max-concurrent-streams=4"]
    body, least = kind.body, 0
    if kind.protocol == "grpc":
        # h2load does not read the status in the trailers: a call that failed is one without an answer, so the bytes of data tell.
        least = count * (_PREFIX + _answer_size(grpc_address, kind)) if kind.good else 0
        command += ["--header=content-type: application/grpc", "--header=te: trailers"]
        body = pack(">BI", 0, len(body or b"")) + (body or b"")
    else:
        command += ["--h1"]
    if body is not None:
        file = folder / kind.name.replace(" ", "-")
        file.write_bytes(body)
        command.append(f"--data={file}")
    command.append((rest if kind.protocol == "rest" else f"http://{grpc_address}") + kind.path)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = re.search(r"requests: \d+ total, \d+ started, (\d+) done, .* (\d+) errored, (\d+) timeout", done.stdout)
    codes = re.search(r"status codes: (\d+) 2xx, \d+ 3xx, \d+ 4xx, (\d+) 5xx", done.stdout)
    if counts is None or codes is None or list(map(int, counts.groups())) != [count, 0, 0] or int(codes[2]):
        raise LoadFailed(f"{kind.name}: {(done.stdout + done.stderr).strip()[-500:]}")
    if kind.good and int(codes[1]) != count:
        raise LoadFailed(f"{kind.name}: {codes[0]}")
    data = re.search(r"\((\d+)\) data", done.stdout)
    if data is None or int(data[1]) < least:
        raise LoadFailed(f"{kind.name}: {data[1] if data else 0} bytes of answers, {least} expected")


def _answer_size(address: str, kind: Kind) -> int:
    with grpc.insecure_channel(address) as channel:
        try:
            return len(channel.unary_unary(kind.path)(kind.body, timeout=_SECONDS))
        except grpc.RpcError as error:
            raise LoadFailed(f"{kind.name}: {error.code().name} {error.details()}") from error


def _with_threads(rest: str, grpc_address: str, kind: Kind, count: int) -> None:
    ask = _ask_rest if kind.protocol == "rest" else _ask_grpc
    shares = [count // CLIENTS + (number < count % CLIENTS) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda share: ask(rest if kind.protocol == "rest" else grpc_address, kind, share), shares))


def _ask_rest(address: str, kind: Kind, count: int) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=_SECONDS)
    try:
        for _ in range(count):
            connection.request("GET" if kind.body is None else "POST", kind.path, kind.body)
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 500 or (kind.good and answer.status != 200):
                raise LoadFailed(f"{kind.name}: HTTP {answer.status}")
    finally:
        connection.close()


def _ask_grpc(address: str, kind: Kind, count: int) -> None:
    # Without its own pool, all channels of a process to one address would share one connection.
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary(kind.path)
        for _ in range(count):
            try:
                call(kind.body, timeout=_SECONDS)
            except grpc.RpcError as error:
                if kind.good or error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise LoadFailed(f"{kind.name}: {error.code().name} {error.details()}") from error
