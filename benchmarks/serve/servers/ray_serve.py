"""Ray Serve: a replica for each core behind HAProxy, in its documented high-throughput mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from benchmarks.serve import tf_serving
from benchmarks.serve.servers.base import WORKERS, Server, Start


class RayServe(Server):
    """A driver that starts a local Ray and stays.

    In this mode HAProxy's statistics and the replicas listen on all addresses; there is no setting for that. We talk to loopback.
    """

    title = "Ray Serve"
    setup = f"num_replicas={WORKERS}, @serve.batch (up to 64), HAProxy and throughput mode, TF Serving's gRPC service"
    grpc_path: ClassVar[str | None] = tf_serving.PREDICT

    def command(self, start: Start) -> Sequence[str]:
        return start.module("ray_service")

    def environment(self, start: Start) -> Mapping[str, str]:
        metrics, statistics, http, grpc = map(str, start.spare_ports)
        return {
            **super().environment(start),
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_SERVE_HAPROXY_METRICS_PORT": metrics,
            "RAY_SERVE_HAPROXY_STATS_PORT": statistics,
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": http,
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": grpc,
            "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # 5 seconds are too few on a busy machine
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    def grpc_message(self, start: Start) -> bytes:
        return tf_serving.request(start.case)

    def grpc_answer(self, message: bytes, start: Start) -> dict[str, Any]:  # noqa: ARG002 # it names its outputs itself
        return tf_serving.answer(message)
