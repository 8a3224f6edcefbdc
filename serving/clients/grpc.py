"""The gRPC client. Needs grpcio and protobuf, not TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from serving.clients.blocking import BlockingClient
from serving.clients.conversation import Conversation
from serving.clients.grpc_dialect import ANSWERS, GrpcCall, GrpcDialect, call_metadata, channel_options, credentials, failure, serialized
from serving.clients.options import Options, grpc_place


class GrpcClient(BlockingClient):
    """A `PredictClient` over gRPC, on one connection that is kept. ``address``: ``host:port`` or ``grpcs://host:port``.

    Raises:
        UsageError: the address, or a file of ``options.tls``, is wrong.
    """

    def __init__(self, address: str, options: Options | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        options = options or Options()
        place = grpc_place(address, options)
        self.address = place.address
        super().__init__(Conversation(GrpcDialect(), self.address, options), sleep)
        self._metadata = call_metadata(options)
        secret, settings = credentials(place), channel_options(place, options)
        self._channel = grpc.secure_channel(place.address, secret, settings) if secret else grpc.insecure_channel(place.address, settings)
        self._calls = {
            path: self._channel.unary_unary(path, request_serializer=serialized, response_deserializer=answer.FromString)
            for path, answer in ANSWERS.items()
        }

    def _send(self, call: GrpcCall, seconds: float) -> Any:
        try:
            return self._calls[call.path](call.message, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise failure(self.address, error) from error

    def _disconnect(self) -> None:
        self._channel.close()
