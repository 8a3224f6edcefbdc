"""A real S3 endpoint on this machine, in a process of its own: moto's server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.worker_pool import free_port

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@contextlib.contextmanager
def object_store(log: Path) -> Iterator[str]:
    """Its address, ``http://host:port``; gone with the block."""
    port = free_port()
    with log.open("wb") as file:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=file, stderr=file)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait()


def make_bucket(address: str, name: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", method="PUT"), timeout=60).close()


def put(address: str, place: str, content: bytes) -> None:
    """``place``: ``bucket/key``."""
    from pyarrow import fs

    store = fs.S3FileSystem(
        access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region=CREDENTIALS["AWS_REGION"],
        endpoint_override=address.removeprefix("http://"),
        scheme="http",
    )
    with store.open_output_stream(place) as file:
        file.write(content)


def ask_for_credentials(address: str, *, wanted: bool) -> None:
    """From now on every request must be signed with a key that the store knows, and it knows none; or any will do again."""
    request = urllib.request.Request(
        f"{address}/moto-api/reset-auth", data=b"0" if wanted else b"inf", headers={"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.urlopen(request, timeout=60).close()
