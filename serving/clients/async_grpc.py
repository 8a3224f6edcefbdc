"""The gRPC client for asyncio. Needs grpcio and protobuf, not TensorFlow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from serving.clients.awaited import AwaitedClient
from serving.clients.conversation import Conversation
from serving.clients.grpc_dialect import ANSWERS, GrpcCall, GrpcDialect, call_metadata, channel_options, credentials, failure, serialized
from serving.clients.options import Options, grpc_place


class AsyncGrpcClient(AwaitedClient):
    """An `AsyncPredictClient` over gRPC; see `GrpcClient`."""

    def __init__(self, address: str, options: Options | None = None, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        options = options or Options()
        self._place = grpc_place(address, options)
        self.address = self._place.address
        super().__init__(Conversation(GrpcDialect(), self.address, options), sleep)
        self._metadata = call_metadata(options)
        self._credentials, self._settings = credentials(self._place), channel_options(self._place, options)
        self._channel: Any = None
        self._calls: dict[str, Any] = {}

    def _connect(self) -> None:
        """At the first call, because a channel belongs to the event loop it is made in."""
        if self._credentials:
            self._channel = grpc.aio.secure_channel(self.address, self._credentials, self._settings)
        else:
            self._channel = grpc.aio.insecure_channel(self.address, self._settings)
        self._calls = {
            path: self._channel.unary_unary(path, request_serializer=serialized, response_deserializer=answer.FromString)
            for path, answer in ANSWERS.items()
        }

    async def _send(self, call: GrpcCall, seconds: float) -> Any:
        if self._channel is None:
            self._connect()
        try:
            return await self._calls[call.path](call.message, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise failure(self.address, error) from error

    async def _disconnect(self) -> None:
        if self._channel is not None:
            await self._channel.close()
