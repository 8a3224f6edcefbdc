"""LitServe: its fast (ZeroMQ) queue, dynamic batching, an inference worker and an HTTP server for each core."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.serve.servers.base import WORKERS, Server, Start


class LitServe(Server):
    """One process that starts workers and HTTP servers. REST only."""

    title = "LitServe"
    setup = f"fast_queue, workers_per_device={WORKERS}, num_api_servers={WORKERS}, batches of up to 64, 1 ms"

    def command(self, start: Start) -> Sequence[str]:
        return start.module("litserve_service")
