"""Which metrics a server keeps: TF Serving's with its names, labels and buckets, and a few that it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

VERSION_LABEL = "model_version"


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """``count`` upper bounds, each ``growth`` times the one before; the bucket without a bound comes on top."""
    bounds = [scale]
    while len(bounds) < count:  # multiplied, as TensorFlow does it, not raised to a power: the last digits differ
        bounds.append(bounds[-1] * growth)
    return tuple(bounds)


_MICROSECONDS = exponential(10, 1.8, 33)  # up to about twenty minutes
_QUEUING = exponential(100, 1.2, 52)  # up to about one second
_ROWS = exponential(1, 2, 14)


@dataclass(frozen=True)
class Family:
    """One metric with all its label values.

    ``name`` is TensorFlow's, with slashes. ``versioned`` adds the label of the model version, which TF Serving does not have. ``ours`` is
    left out where a server must look like TF Serving. ``lazy`` ones are not mentioned before they have a value, as upstream.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    versioned: bool = False
    ours: bool = False
    lazy: bool = False


_SERVING, _BATCHING, _OURS = "/tensorflow/serving/", "/tensorflow/serving/batching_session/", "/sluiceway/serving/"

REQUEST_COUNT = Family(f"{_SERVING}request_count", "counter", ("model_name", "status"), versioned=True)
REQUEST_LATENCY = Family(f"{_SERVING}request_latency", "histogram", ("model_name", "API", "entrypoint"), _MICROSECONDS, versioned=True)
RUNTIME_LATENCY = Family(f"{_SERVING}runtime_latency", "histogram", ("model_name", "API", "runtime"), _MICROSECONDS, versioned=True)
EXAMPLE_COUNTS = Family(f"{_SERVING}request_example_counts", "histogram", ("model",), exponential(1, 2, 15), versioned=True)
EXAMPLE_COUNT_TOTAL = Family(f"{_SERVING}request_example_count_total", "counter", ("model",), versioned=True)
REQUEST_LOG_COUNT = Family(f"{_SERVING}request_log_count", "counter", ("model_name", "status_code"), versioned=True)
WARMUP_LATENCY = Family(f"{_SERVING}model_warmup_latency", "histogram", ("model_path", "status"), _MICROSECONDS)
WARMUP_RECORDS = Family(f"{_SERVING}model_warmup_records_read", "counter", ("model_path", "status"))

QUEUING_LATENCY = Family(f"{_BATCHING}queuing_latency", "histogram", ("thread_pool_name",), _QUEUING)
WRAPPED_RUN_COUNT = Family(f"{_BATCHING}wrapped_run_count", "counter")
PADDING_SIZE = Family(f"{_BATCHING}padding_size", "histogram", ("execution_batch_size",), _ROWS, lazy=True)
INPUT_BATCH_SIZE = Family(f"{_BATCHING}input_batch_size", "histogram", (), _ROWS, lazy=True)
PROCESSED_BATCH_SIZE = Family(f"{_BATCHING}processed_batch_size", "histogram", (), _ROWS, lazy=True)

LOAD_ATTEMPT_COUNT = Family("/tensorflow/cc/saved_model/load_attempt_count", "counter", ("model_path", "status"))
LOAD_LATENCY = Family("/tensorflow/cc/saved_model/load_latency", "counter", ("model_path",))  # microseconds, summed up

VERSION_STATE = Family(f"{_OURS}version_state", "gauge", ("model_name",), versioned=True, ours=True)
IN_FLIGHT = Family(f"{_OURS}requests_in_flight", "gauge", ("entrypoint",), ours=True)
BUILD_INFO = Family(f"{_OURS}build_info", "gauge", ("version", "tensorflow", "python"), ours=True)

FAMILIES = (
    REQUEST_COUNT,
    REQUEST_LATENCY,
    RUNTIME_LATENCY,
    EXAMPLE_COUNTS,
    EXAMPLE_COUNT_TOTAL,
    REQUEST_LOG_COUNT,
    WARMUP_LATENCY,
    WARMUP_RECORDS,
    QUEUING_LATENCY,
    WRAPPED_RUN_COUNT,
    PADDING_SIZE,
    INPUT_BATCH_SIZE,
    PROCESSED_BATCH_SIZE,
    LOAD_ATTEMPT_COUNT,
    LOAD_LATENCY,
    VERSION_STATE,
    IN_FLIGHT,
    BUILD_INFO,
)
