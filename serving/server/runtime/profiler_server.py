"""TensorFlow's own profiler server, started in this process and kept to this machine.

It is the part of TensorFlow that knows how to trace the runtime; only the Python package can start it, on a port of its own, and it listens
on every address. Its socket is therefore tied to the loopback interface as soon as it is there, which Linux allows without privileges.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from serving.protocol.status import Code, StatusError
from serving.server.runtime.python_package import import_without_init

# The same in TensorFlow 2.16 and 2.21.
_MODULE = "tensorflow.python.profiler.internal._pywrap_profiler"
_DESCRIPTORS = Path("/proc/self/fd")
_LOOPBACK = b"lo\0"


def start() -> int:
    """Start the server and return its port. It runs until the process ends, so call this once.

    Raises StatusError: UNIMPLEMENTED where TensorFlow or the system cannot do it, UNAVAILABLE when its port was taken meanwhile.
    """
    if sys.platform != "linux":
        raise StatusError(Code.UNIMPLEMENTED, "profiling needs Linux: elsewhere TensorFlow's profiler would be open to the network")
    try:
        start_server = import_without_init(_MODULE).start_server
    except (ImportError, AttributeError) as error:
        raise StatusError(Code.UNIMPLEMENTED, f"this TensorFlow has no profiler server: {error}") from error
    port = _free_port()
    start_server(port)
    sockets = list(listening(port))
    try:
        if not sockets:
            raise StatusError(Code.UNAVAILABLE, f"TensorFlow's profiler did not open port {port}: try again")
        for one in sockets:
            keep_local(one)
    finally:
        for one in sockets:
            one.close()
    return port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening(port: int) -> Iterator[socket.socket]:
    """This process's sockets that listen on a TCP port, as duplicates to be closed."""
    seen: set[int] = set()
    for entry in list(_DESCRIPTORS.iterdir()):
        try:
            status = entry.stat()
            if not stat.S_ISSOCK(status.st_mode) or status.st_ino in seen:
                continue  # the number may be that of a duplicate made here
            seen.add(status.st_ino)
            found = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue  # closed meanwhile, as the descriptor of the listing itself is
        if _listens(found, port):
            yield found
        else:
            found.close()


def _listens(one: socket.socket, port: int) -> bool:
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    try:
        return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) and one.getsockname()[1] == port
    except OSError:
        return False


def keep_local(listener: socket.socket) -> None:
    """Let a listening socket accept connections from this machine only. Raises StatusError after closing it when that is not possible."""
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _LOOPBACK)
    except OSError as error:
        listener.shutdown(socket.SHUT_RDWR)
        message = f"TensorFlow's profiler would be open to the network, and this system cannot keep its port local: {error.strerror}"
        raise StatusError(Code.UNIMPLEMENTED, message) from error
