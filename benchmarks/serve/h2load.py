"""gRPC load with h2load: HTTP/2 without TLS, one stream at a time on each connection, the same length-prefixed message again and again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from statistics import quantiles
from struct import pack

from benchmarks.serve.sample import NoSample, Sample

PREFIX = 5
"""Bytes before each message: compressed or not, and its length (grpc.io, PROTOCOL-HTTP2)."""


def framed(message: bytes) -> bytes:
    """A message as the body of a gRPC call."""
    return pack(">BI", 0, len(message)) + message


def measure(url: str, body: Path, clients: int, seconds: int, answer_size: int) -> Sample:
    """Posts the framed message in the file; ``answer_size`` is the length of a good answer's message. Raises NoSample."""
    log = body.with_suffix(".log")
    log.unlink(missing_ok=True)  # h2load appends
    command = ["h2load", "--threads=1", f"--clients={clients}", "--max-concurrent-streams=1", f"--duration={seconds}", f"--log-file={log}"]
    command += ["--header=content-type: application/grpc", "--header=te: trailers", f"--data={body}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return parse(done.stdout + done.stderr, lines, PREFIX + answer_size)


def parse(text: str, log: Iterable[str], answer_bytes: int) -> Sample:
    """h2load's summary, and its log: start, HTTP status and microseconds of each request. Raises NoSample.

    h2load knows nothing of grpc-status, which comes in trailers: a call that failed is one without an answer, so the bytes of data tell.
    """
    seconds = re.search(r"finished in ([\d.]+)(us|ms|s),", text)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    data = re.search(r"\((\d+)\) data", text)
    if not (seconds and counts and data):
        raise NoSample(f"h2load: {text.strip()[-300:]}")
    succeeded, failed, errored, timeout = map(int, counts.groups())
    good = min(succeeded, int(data[1]) // answer_bytes)
    times = [int(fields[2]) / 1e3 for line in log if len(fields := line.split("\t")) >= 3 and fields[1] == "200"]
    if len(times) < 2 or succeeded == 0:
        raise NoSample(f"h2load: no answers; {counts[0]}")
    cuts = quantiles(times, n=100, method="inclusive")
    duration = float(seconds[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[seconds[2]]
    # errored requests are among the failed ones, timeouts too
    return Sample(good / duration, cuts[49], cuts[98], succeeded + failed, succeeded - good + max(failed, errored, timeout))
