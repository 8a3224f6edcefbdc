"""Clients of a model server, by transport. Importing this imports none of them, and none of them imports TensorFlow.

from serving.clients import connect

with connect("localhost:8500") as client:                 # gRPC; "http://localhost:8501" is REST
    client.predict("m", {"x": [1.0, 2.0]})["y"]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from configs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from configs.gateway import Tls
    from serving.clients.base import AsyncPredictClient, PredictClient

CLIENTS = {
    "rest": "serving.clients.rest:RestClient",
    "grpc": "serving.clients.grpc:GrpcClient",
}
ASYNC_CLIENTS = {
    "async-rest": "serving.clients.async_rest:AsyncRestClient",
    "async-grpc": "serving.clients.async_grpc:AsyncGrpcClient",
}
# A server that is starting, or whose queue is full for a moment, deserves another try; gates and launchers look for themselves.
CONNECT_RETRIES = 2


def load(name: str) -> Callable[..., PredictClient]:
    """The client class for a transport; call it with the server's address. Raises UsageError for an unknown name."""
    return cast("Callable[..., PredictClient]", _class(CLIENTS, name))


def load_async(name: str) -> Callable[..., AsyncPredictClient]:
    """The client class for ``async-rest`` or ``async-grpc``; call it with the server's address. Raises UsageError."""
    return cast("Callable[..., AsyncPredictClient]", _class(ASYNC_CLIENTS, name))


def connect(
    address: str,
    *,
    tls: Tls | bool = False,
    retries: int = CONNECT_RETRIES,
    timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    balanced: bool = False,
) -> PredictClient:
    """A client of the server at an address: ``host:port`` is gRPC, ``http://host:port`` is REST.

    Args:
        address: also ``https://`` (REST) and ``grpcs://`` (gRPC), which are TLS, and gRPC's own ``dns:``, ``unix:`` and the like.
        tls: True trusts the system's authorities; a `configs.gateway.Tls` names authorities, certificate and server name.
        retries: how often a call that came back UNAVAILABLE is tried again, within its timeout.
        timeout: seconds for a whole call, retries included, where the call names none; 30 if not given.
        headers: sent with every call, an API key for example (metadata, over gRPC).
        balanced: gRPC spreads calls over all addresses behind the name.

    Raises:
        UsageError: the address, an option or a file of ``tls`` is wrong. No connection is made here.
    """
    from serving.clients.options import options_of, transport_of

    options = options_of(tls, retries, timeout, headers, balanced)
    return load(transport_of(address))(address, options)


def connect_async(
    address: str,
    *,
    tls: Tls | bool = False,
    retries: int = CONNECT_RETRIES,
    timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    balanced: bool = False,
) -> AsyncPredictClient:
    """`connect` for asyncio: the same arguments and errors. A client belongs to the event loop of its first call."""
    from serving.clients.options import options_of, transport_of

    options = options_of(tls, retries, timeout, headers, balanced)
    return load_async(f"async-{transport_of(address)}")(address, options)


def _class(table: Mapping[str, str], name: str) -> Any:
    if name not in table:
        raise UsageError(f"unknown transport {name!r}; allowed: {', '.join(table)}")
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
