"""The servers that are measured, by name: a table, so that nothing is imported that is not asked for."""

from __future__ import annotations

from importlib import import_module

from benchmarks.serve.servers.base import Server

SERVERS = {
    "sluiceway": "benchmarks.serve.servers.sluiceway:Sluiceway",
    "litserve": "benchmarks.serve.servers.litserve:LitServe",
    "bentoml": "benchmarks.serve.servers.bentoml:BentoML",
    "mlserver": "benchmarks.serve.servers.mlserver:MLServer",
    "ray_serve": "benchmarks.serve.servers.ray_serve:RayServe",
    "mlflow": "benchmarks.serve.servers.mlflow:MLflow",
}
OURS = "sluiceway"
FLAGS = "BENCHMARK_SLUICEWAY_FLAGS"
"""Environment variable: flags to start ours with instead of those in its adapter."""


def load(name: str) -> Server:
    """The adapter of that name."""
    module, _, attribute = SERVERS[name].partition(":")
    server: Server = getattr(import_module(module), attribute)()
    return server
