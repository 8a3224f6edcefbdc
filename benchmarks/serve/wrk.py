"""REST load with wrk: one thread, connections kept open, one request at a time on each."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from benchmarks.serve.sample import NoSample, Sample

SCRIPT = Path(__file__).with_name("post.lua")


def measure(url: str, body: Path, clients: int, seconds: int) -> Sample:
    """Posts the file again and again. Raises NoSample."""
    command = ["wrk", "--threads=1", f"--connections={clients}", f"--duration={seconds}s", "--timeout=10s", f"--script={SCRIPT}", url]
    done = subprocess.run(command, env={**os.environ, "WRK_BODY": str(body)}, capture_output=True, text=True, check=False)
    return parse(done.stdout + done.stderr)


def parse(text: str) -> Sample:
    """The line that post.lua prints at the end. Raises NoSample."""
    line = re.search(r"^RESULT (.*)$", text, re.MULTILINE)
    if line is None:
        raise NoSample(f"wrk: {text.strip()[-300:]}")
    value = {name: int(number) for name, number in re.findall(r"(\w+)=(-?\d+)", line[1])}
    good = value["requests"] - value["status"]
    # Requests that ended without an answer are not among wrk's requests.
    lost = value["connect"] + value["read"] + value["write"] + value["timeout"]
    return Sample(
        rate=good / (value["microseconds"] / 1e6),
        p50=value["p50"] / 1e3,
        p99=value["p99"] / 1e3,
        requests=value["requests"] + lost,
        failed=value["status"] + lost,
    )
