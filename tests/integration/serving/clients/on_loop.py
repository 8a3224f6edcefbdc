"""An asyncio client as the contract suite asks it: each call runs the loop until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from serving.clients import ASYNC_CLIENTS, load, load_async


class OnLoop:
    """A `PredictClient` around an `AsyncPredictClient`, on an event loop of its own."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = make()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        return lambda *args, **kwargs: self.loop.run_until_complete(method(*args, **kwargs))

    def __enter__(self) -> OnLoop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.loop.close()


def opened(transport: str, rest_address: str, grpc_address: str, *more: Any, **options: Any) -> Any:
    """A client of any transport and style, to be called as a blocking one."""
    address = rest_address if transport.endswith("rest") else grpc_address
    if transport in ASYNC_CLIENTS:
        return OnLoop(lambda: load_async(transport)(address, *more, **options))
    return load(transport)(address, *more, **options)
