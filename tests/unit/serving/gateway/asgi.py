"""A gateway without sockets of its own, before a model server in threads that serves models without TensorFlow. Not a test itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from msgspec import convert

from configs.gateway import GatewayConfig
from serving.gateway.app import build
from serving.gateway.state import Gateway
from serving.protocol.dtypes import BY_NUMBER
from serving.protocol.signature import PREDICT_METHOD
from serving.protocol.status import Code, StatusError
from serving.server.grpc_api import GrpcApi
from serving.server.listeners import GrpcListener, GrpcSettings
from serving.server.models import Models
from tests.fakes.core import core_of
from tests.fakes.servable import FLOAT, STRING, FakeServable, signature_def


def times(factor: float, kind: int = FLOAT) -> FakeServable:
    """A version that answers y = factor x, and takes x of one type only, as a runtime does."""

    def graph(feeds: Mapping[str, Any]) -> dict[str, Any]:
        if np.asarray(feeds["x:0"]).dtype != BY_NUMBER[kind].numpy:
            raise StatusError(Code.INVALID_ARGUMENT, "Type mismatch")
        return {"y:0": np.asarray(feeds["x:0"]).astype(np.float32) * np.float32(factor)}

    signature = signature_def({"x": kind}, {"y": FLOAT})
    signature.method_name = PREDICT_METHOD
    signature.inputs["x"].tensor_shape.dim.add(size=-1)
    return FakeServable({"serving_default": signature}, graph)


def of_images(score: float = 0.75) -> FakeServable:
    """A version whose signature takes images; the answer is their size and a score."""

    def graph(feeds: Mapping[str, Any]) -> dict[str, Any]:
        images = np.asarray(feeds["image:0"], object).ravel()
        return {"bytes:0": np.float32([len(image) for image in images]), "score:0": np.full(len(images), score, np.float32)}

    signature = signature_def({"image": STRING}, {"bytes": FLOAT, "score": FLOAT})
    signature.method_name = PREDICT_METHOD
    signature.inputs["image"].tensor_shape.dim.add(size=-1)
    return FakeServable({"predict": signature}, graph)


@dataclass
class Stage:
    """What a story plays on. ``models``: those of the server, to be changed; ``lines``: the access log."""

    client: httpx.AsyncClient
    gateway: Gateway
    models: Models
    lines: list[str]

    async def predict(self, body: str = '{"instances": [1.0]}', model: str = "m", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(f"/v1/models/{model}:predict", content=body, headers=named)

    def metric(self, name: str, **labels: str) -> float:
        return self.gateway.metrics.registry.get_sample_value(name, labels) or 0.0


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def log_of(name: str) -> Any:
    """What a logger is told, as lines."""
    logger, handler = logging.getLogger(name), _Lines()
    level, spread = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = spread


def play(story: Callable[[Stage], Awaitable[None]], config: Mapping[str, Any] | None = None, *, models: Models | None = None) -> None:
    """Run a story. The server has ``m`` (y = 2 x in version 1, y = 3 x in 2) unless models are given; ``config`` lacks only its address."""
    served = models or _models()
    listener = GrpcListener(GrpcApi(core_of(served)), GrpcSettings())
    try:
        with log_of("serving.gateway.guard") as lines:
            asyncio.run(_played(story, f"127.0.0.1:{listener.port}", config or {}, served, lines))
    finally:
        listener.stop(1)


def _models() -> Models:
    models = Models()
    models.load("m", 1, lambda: times(2))
    models.load("m", 2, lambda: times(3))
    return models


async def _played(
    story: Callable[[Stage], Awaitable[None]], address: str, config: Mapping[str, Any], models: Models, lines: list[str]
) -> None:
    upstreams = {"default": {"grpc": address}, **config.get("upstreams", {})}
    gateway = Gateway(convert({**config, "upstreams": upstreams}, GatewayConfig))
    transport = httpx.ASGITransport(build(gateway), client=("192.0.2.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        await story(Stage(client, gateway, models, lines))
    await gateway.close()
