"""What a client is told besides the calls: where the server is, and how patient and how guarded the way there is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from configs.errors import UsageError
from serving.clients.base import DEFAULT_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from configs.gateway import Tls

_REST = {"http": False, "https": True}
_GRPC = {"grpc": False, "grpcs": True, **_REST}  # http:// before a gRPC address is a slip that does no harm
_GRPC_OWN = ("dns:", "unix:", "unix-abstract:", "ipv4:", "ipv6:", "xds:")
_MOST_RETRIES = 20
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?|")


@dataclass(frozen=True)
class Options:
    """See `serving.clients.connect`. Headers may hold a key, so they are not shown."""

    tls: Tls | bool = False
    retries: int = 0
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    balanced: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= _MOST_RETRIES:
            raise UsageError(f"retries={self.retries} is not between 0 and {_MOST_RETRIES}")
        if not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise UsageError(f"timeout={self.timeout} is not a number of seconds above 0")
        for name, value in self.headers.items():
            # Its value may be a key, and stays out of sight.
            if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(value):
                what = "begins or ends with a space or the end of a line, or holds what is no printable ASCII"
                raise UsageError(f"headers: {name!r}: no name of a header, or its value {what}")


@dataclass(frozen=True)
class Place:
    """A server as a transport dials it; ``tls`` None is plain."""

    address: str
    tls: Tls | None


def options_of(tls: Tls | bool, retries: int, timeout: float | None, headers: Mapping[str, str] | None, balanced: bool) -> Options:
    """The options of `serving.clients.connect`. Raises UsageError."""
    return Options(tls, retries, DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout, dict(headers or {}), balanced)


def transport_of(address: str) -> str:
    """``rest`` or ``grpc``, by how an address is written. Raises UsageError for one that is neither."""
    scheme, found, rest = address.partition("://")
    if found and scheme in _REST:
        return "rest"
    if address.startswith(_GRPC_OWN):
        return "grpc"
    if found and scheme not in _GRPC:
        raise UsageError(
            f"{address}: {scheme}:// is not known; write host:port or grpcs://host:port for gRPC, http(s)://host:port for REST"
        )
    host = rest if found else address
    if not re.search(r".:\d+$", host):
        raise UsageError(f"{address!r} has no port; a model server's gRPC is mostly at {host or 'localhost'}:8500")
    return "grpc"


def rest_place(address: str, options: Options) -> Place:
    """The URL of a REST server. Raises UsageError when address and options contradict each other."""
    scheme, found, rest = address.partition("://")
    if not found:
        scheme, rest = ("https" if options.tls else "http"), address
    if scheme not in _REST:
        raise UsageError(f"{address}: a REST address is http://host:port or https://host:port")
    return Place(f"{scheme}://{rest}".rstrip("/"), _tls(address, options, secure=_REST[scheme], decided=bool(found)))


def grpc_place(address: str, options: Options) -> Place:
    """The target of a gRPC channel. Raises UsageError when address and options contradict each other."""
    scheme, found, rest = address.partition("://")
    if address.startswith(_GRPC_OWN) or not found:
        return Place(address, _tls(address, options, secure=False, decided=False))
    if scheme not in _GRPC:
        raise UsageError(f"{address}: a gRPC address is host:port or grpcs://host:port")
    return Place(rest.rstrip("/"), _tls(address, options, secure=_GRPC[scheme], decided=True))


def _tls(address: str, options: Options, *, secure: bool, decided: bool) -> Tls | None:
    if decided and options.tls and not secure:
        raise UsageError(f"{address} is an address without TLS, and tls is given: leave one of them out, or write https:// or grpcs://")
    if not options.tls and not secure:
        return None
    from configs.gateway import Tls

    return options.tls if isinstance(options.tls, Tls) else Tls()
