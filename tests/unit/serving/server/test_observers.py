"""What batching and loading tell, as it shows up on the page."""

from __future__ import annotations

from pathlib import Path

from serving.protocol.status import Code
from serving.server import prometheus
from serving.server.metrics import Metrics
from serving.server.observers import BatchingMetrics, LoadMetrics

BATCHING = ":tensorflow:serving:batching_session:"


def test_batching_has_upstreams_metrics():
    metrics = Metrics()
    observer = BatchingMetrics(metrics, "batch_threads")
    observer.input_batch_size("m", 3)
    observer.queuing_latency("m", 150)
    observer.padding_size("m", 5, 8)
    observer.processed_batch_size("m", 8)
    observer.wrapped_run_count("m")
    lines = prometheus.render(metrics.snapshot()).splitlines()
    for line in [
        "input_batch_size_sum{} 3",
        'queuing_latency_sum{thread_pool_name="batch_threads"} 150',
        'padding_size_bucket{execution_batch_size="8",le="8"} 1',
        "processed_batch_size_count{} 1",
        "wrapped_run_count{} 1",
    ]:
        assert BATCHING + line in lines


def test_a_version_that_loaded_and_one_that_did_not_can_be_told_apart():
    metrics = Metrics()
    observer = LoadMetrics(metrics)
    observer.loaded("m", 1, Path("/m/1"), 0.5)
    observer.load_failed("m", 2, Path("/m/2"), Code.DATA_LOSS)
    page = prometheus.render(metrics.snapshot())
    assert ':tensorflow:cc:saved_model:load_attempt_count{model_path="/m/2",status="fail"} 1\n' in page
    assert ':tensorflow:cc:saved_model:load_latency{model_path="/m/1"} 500000\n' in page
    assert ':sluiceway:serving:version_state{model_name="m",model_version="1"} 30\n' in page
    assert ':sluiceway:serving:version_state{model_name="m",model_version="2"} 50\n' in page


def test_a_version_that_was_unloaded_has_ended():
    metrics = Metrics()
    observer = LoadMetrics(metrics)
    observer.loaded("m", 1, Path("/m/1"), 0.5)
    observer.unloaded("m", 1)
    assert ':sluiceway:serving:version_state{model_name="m",model_version="1"} 50\n' in prometheus.render(metrics.snapshot())
