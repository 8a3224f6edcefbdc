"""The numbers of a server's ports: which are wanted, how they are held for several processes, how they are told."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from configs.errors import SluicewayError
from serving.server.flags import Flags

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ports:
    """The ports that a process is to open: a number, 0 for any free one, None for no such port."""

    grpc: int | None
    rest: int | None


def ports_of(flags: Flags) -> Ports:
    """The ports that the flags ask for."""
    any_port = flags.ports_file is not None
    rest = flags.rest_api_port if flags.rest_api_port or any_port else None
    if rest and rest == flags.port:
        log.error("REST is off: --rest_api_port=%d is the port of gRPC", rest)
        rest = None
    return Ports(flags.port if flags.port or any_port else None, rest)


@contextmanager
def reserved(bind: str, ports: Ports) -> Iterator[Ports]:
    """Hold the ports for processes that will share them, without listening; any free one becomes a number. Raises SluicewayError."""
    with ExitStack() as held:
        found: list[int | None] = []
        for port in (ports.grpc, ports.rest):
            number = None if port is None else held.enter_context(_hold(bind, port)).getsockname()[1]
            if number is not None and sys.platform == "linux":
                held.enter_context(_claim(bind, number))
            found.append(number)
        yield Ports(*found)


def _claim(bind: str, port: int) -> socket.socket:
    """Until one listens, two holders of a port do not see each other; a name that only one of them can have makes them."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        name.bind(f"\0sluiceway-server:{bind}:{port}")
    except OSError as error:
        name.close()
        raise SluicewayError(f"cannot listen on {bind}:{port}: {error.strerror}") from error
    return name


def _hold(bind: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    probe = socket.socket(family, socket.SOCK_STREAM)
    holder = socket.socket(family, socket.SOCK_STREAM)
    try:
        with probe:
            # Sockets that may share a port would share it with another server of this user, too; this one finds out.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bind, port))
            port = probe.getsockname()[1]
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((bind, port))
    except OSError as error:
        holder.close()
        raise SluicewayError(f"cannot listen on {bind}:{port}: {error.strerror}") from error
    return holder


def announce(ports_file: Path, ports: Ports) -> None:
    """Write the ports in one piece: a reader sees all of the file or none of it. Raises SluicewayError."""
    partial = ports_file.with_name(f"{ports_file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps({"grpc": ports.grpc, "rest": ports.rest, "pid": os.getpid()}), encoding="utf-8")
        partial.replace(ports_file)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise SluicewayError(f"--ports_file={ports_file} cannot be written: {error.strerror or error}") from error
