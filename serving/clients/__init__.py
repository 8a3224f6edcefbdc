"""Clients of a model server, by transport. Importing this imports none of them, and none of them imports TensorFlow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from configs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.clients.base import PredictClient

CLIENTS = {
    "rest": "serving.clients.rest:RestClient",
    "grpc": "serving.clients.grpc:GrpcClient",
}


def load(name: str) -> Callable[[str], PredictClient]:
    """The client class for a transport; call it with the server's address. Raises UsageError for an unknown name."""
    if name not in CLIENTS:
        raise UsageError(f"unknown transport {name!r}; allowed: {', '.join(CLIENTS)}")
    module, _, attribute = CLIENTS[name].partition(":")
    return cast("Callable[[str], PredictClient]", getattr(import_module(module), attribute))
