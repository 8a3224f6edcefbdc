"""HTTP load with h2load: as fast as answers come, or at a pace that does not care how fast they come."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.sample import NoSample

GOOD, SHED = "200", frozenset({"429", "503"})
STAGGERED = 16
"""Generators of a pace. One h2load sends the requests of all its clients in the same moment; many small ones make an even stream."""
CLIENTS = 16
"""Connections of each. A client whose answer is late sends late: there must be more than wait."""
SETTLING = 1.0
"""Seconds at the beginning that nobody looks at."""


@dataclass(frozen=True)
class Answers:
    """What became of the requests. ``good``: milliseconds of each that was answered; ``shed``: 429 and 503; ``failed``: anything else."""

    good: tuple[float, ...]
    shed: int
    failed: int
    seconds: float

    @property
    def offered(self) -> float:
        """Requests a second."""
        return (len(self.good) + self.shed + self.failed) / self.seconds

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.good) / self.seconds

    def quantile(self, part: float) -> float:
        """Milliseconds that this part of the good answers did not exceed. Raises NoSample when there is none."""
        if not self.good:
            raise NoSample("no request was answered")
        ordered = sorted(self.good)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def parse(lines: Iterable[str], settling: float = SETTLING) -> Answers:
    """h2load's logs: start in microseconds, HTTP status, microseconds until the end. Raises NoSample."""
    rows = [(int(fields[0]), fields[1], int(fields[2])) for line in lines if len(fields := line.split("\t")) >= 3]
    if not rows:
        raise NoSample("h2load logged nothing")
    first = min(start for start, _, _ in rows) + int(settling * 1e6)
    last = max(start for start, _, _ in rows)
    seen = [(status, took / 1e3) for start, status, took in rows if start >= first]
    good = tuple(took for status, took in seen if status == GOOD)
    shed = sum(status in SHED for status, _ in seen)
    return Answers(good, shed, len(seen) - len(good) - shed, max(1e-6, (last - first) / 1e6))


def closed(url: str, body: Path, clients: int, seconds: int) -> Answers:
    """So many callers, each with its next request when it has its answer. Raises NoSample."""
    log = body.with_suffix(".log")
    _run([_command(url, body, clients, seconds, log)], 0.0)
    return parse(_lines([log]))


def paced(url: str, body: Path, rate: float, seconds: int) -> Answers:
    """So many requests a second, evenly, whatever becomes of them. Raises NoSample."""
    logs = [body.with_suffix(f".{number}.log") for number in range(STAGGERED)]
    each = rate / STAGGERED / CLIENTS
    _run([[*_command(url, body, CLIENTS, seconds, log), f"--rps={each:.3f}"] for log in logs], 1 / each / STAGGERED)
    return parse(_lines(logs))


def _command(url: str, body: Path, clients: int, seconds: int, log: Path) -> list[str]:
    log.unlink(missing_ok=True)  # h2load appends
    command = ["h2load", "--h1", "--threads=1", f"--clients={clients}", f"--duration={seconds}", f"--log-file={log}"]
    return [*command, "--header=content-type: application/json", f"--data={body}", url]


def _run(commands: Sequence[Sequence[str]], apart: float) -> None:
    running = []
    for command in commands:
        running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(apart)
    for process in running:
        process.wait()


def _lines(logs: Iterable[Path]) -> list[str]:
    return [line for log in logs if log.exists() for line in log.read_text(encoding="utf-8").splitlines()]
