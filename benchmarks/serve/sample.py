"""What one run of a load generator saw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Good answers a second, latency of all answers in milliseconds, and how many requests were made and failed."""

    rate: float
    p50: float
    p99: float
    requests: int
    failed: int


class NoSample(Exception):
    """The load generator did not say what it measured."""
