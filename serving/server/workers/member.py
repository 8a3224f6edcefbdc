"""A worker's side: answers the supervisor about this process, and asks it about all of them."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.server import prometheus
from serving.server.cluster import LocalCluster
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.workers.channel import Channel

_ASK_SECONDS = 10.0


def to_plain(status: VersionStatus) -> list[Any]:
    """A status as JSON can carry it."""
    return [status.version, int(status.state), int(status.code), status.message]


def from_plain(plain: Sequence[Any]) -> VersionStatus:
    """The status that `to_plain` made a value of."""
    return VersionStatus(plain[0], State(plain[1]), Code(plain[2]), plain[3])


class Member:
    """Implements `Cluster` for one of several processes."""

    def __init__(self, sock: socket.socket) -> None:
        self._local: LocalCluster | None = None
        self._metrics: Metrics | None = None
        # Without its supervisor a worker would hold a port that nobody watches.
        self._channel = Channel(sock, self._answer, lambda: os._exit(0))

    def join(self, local: LocalCluster, metrics: Metrics) -> Member:
        """Speak for this process from now on."""
        self._local, self._metrics = local, metrics
        return self

    def listening(self) -> None:
        """Tell the supervisor that the ports of this process are open."""
        self._channel.tell("listening")

    def serving(self, configs: tuple[ModelConfig, ...]) -> None:
        """Tell the supervisor which models this process serves by its flags or its config file."""
        self._channel.tell("serving", msgspec.to_builtins(configs))

    def failed(self, message: str) -> None:
        """Tell the supervisor why this process cannot start; returns when it knows."""
        self._channel.ask("failed", message, _ASK_SECONDS)

    def _answer(self, what: str, about: Any) -> Any:
        if self._local is None or self._metrics is None:
            raise StatusError(Code.UNAVAILABLE, "this process of the server is still starting")
        if what == "statuses":
            return [to_plain(status) for status in self._local.statuses(about["model"], about["version"])]
        if what == "metrics":
            return self._metrics.snapshot()
        if what == "reload":
            return self._local.reload(base64.b64decode(about["config"]), about["timeout"])
        if what == "unready":
            return self._local.unready(about)
        raise StatusError(Code.UNIMPLEMENTED, f"a worker cannot answer {what!r}")

    def statuses(self, model: str, version: int | None) -> list[VersionStatus]:
        """See `Cluster.statuses`."""
        return [from_plain(plain) for plain in self._channel.ask("statuses", {"model": model, "version": version}, _ASK_SECONDS)]

    def reload(self, serialized: bytes, timeout_seconds: float | None) -> None:
        """See `Cluster.reload`."""
        about = {"config": base64.b64encode(serialized).decode("ascii"), "timeout": timeout_seconds}
        self._channel.ask("reload", about, None if timeout_seconds is None else timeout_seconds + 1)

    def metrics_text(self) -> str:
        """See `Cluster.metrics_text`."""
        return prometheus.render(self._snapshot(), strict=self._metrics is not None and self._metrics.strict)

    def increases(self, names: Sequence[str], work: Callable[[], None]) -> Mapping[str, int]:
        """See `Cluster.increases`."""
        before = self._snapshot() if names else None
        work()
        if before is None or self._metrics is None:
            return {}
        return self._metrics.increase_since(before, names, self._snapshot())

    def unready(self, model: str | None) -> str | None:
        """See `Cluster.unready`."""
        reason: str | None = self._channel.ask("unready", model, _ASK_SECONDS)
        return reason

    def _snapshot(self) -> prometheus.Snapshot:
        found: prometheus.Snapshot = self._channel.ask("metrics", None, _ASK_SECONDS)
        return found
