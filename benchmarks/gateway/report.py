"""What the rounds say: medians of ratios and differences within a round, and whether what we claim holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

MOST_MILLISECONDS = 2.0
MOST_TIMES = 3.0
_SAYS = {True: "holds", False: "DOES NOT HOLD"}


@dataclass(frozen=True)
class Round:
    """Everything measured close together. Latencies in milliseconds of one caller; rates in requests a second."""

    rest: float
    grpc: float
    gateway: float
    capacity: float
    """Good answers a second when as many callers as find room ask as fast as they can."""
    p99: float
    """Theirs."""
    offered: float
    """Requests a second in the overload."""
    accepted: float
    accepted_p99: float
    shed: int
    failed: int
    """Neither answered nor turned away in order."""

    @property
    def over_rest(self) -> float:
        """What the gateway adds to the server's own REST."""
        return self.gateway - self.rest

    @property
    def over_grpc(self) -> float:
        """What it adds to the call that it makes itself."""
        return self.gateway - self.grpc

    @property
    def times(self) -> float:
        """How much slower the accepted are answered in the overload."""
        return self.accepted_p99 / self.p99


@dataclass(frozen=True)
class Swaps:
    """Requests while versions were published under the gateway."""

    versions: int
    requests: int
    failed: int
    last: int
    """The newest version that answered."""


@dataclass(frozen=True)
class Report:
    """One run of the benchmark."""

    rounds: Sequence[Round]
    swaps: Swaps
    limits: str
    load: Sequence[float]
    """One-minute load average before each round."""

    def middle(self, of: Callable[[Round], float]) -> float:
        """The median over the rounds."""
        return median(map(of, self.rounds))

    def verdicts(self) -> list[tuple[str, bool, str]]:
        """(what we claim, whether it holds, the figures)."""
        rest, grpc = self.middle(lambda one: one.over_rest), self.middle(lambda one: one.over_grpc)
        times, failed = self.middle(lambda one: one.times), sum(one.failed for one in self.rounds)
        shed = all(one.shed > 0 for one in self.rounds)
        swapped = self.swaps.failed == 0 and self.swaps.last == self.swaps.versions
        told = f"{self.swaps.failed} of {self.swaps.requests} failed, {self.swaps.versions} versions, the last to answer {self.swaps.last}"
        return [
            (f"at most {MOST_MILLISECONDS:g} ms over the server's REST (p50)", rest <= MOST_MILLISECONDS, f"{rest:.2f} ms"),
            (f"at most {MOST_MILLISECONDS:g} ms over the server's gRPC (p50)", grpc <= MOST_MILLISECONDS, f"{grpc:.2f} ms"),
            (f"p99 of the accepted at most {MOST_TIMES:g} times as long", times <= MOST_TIMES, f"{times:.2f} times"),
            ("what is too much is turned away, and nothing fails", shed and failed == 0, f"{failed} failed"),
            ("no request fails while versions are swapped", swapped, told),
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "limits": self.limits,
            "load": [round(value, 2) for value in self.load],
            "rounds": [{**vars(one), "over_rest": one.over_rest, "over_grpc": one.over_grpc, "times": one.times} for one in self.rounds],
            "swaps": vars(self.swaps),
            "claims": [{"claim": claim, "holds": holds, "figures": figures} for claim, holds, figures in self.verdicts()],
        }

    def as_text(self) -> str:
        """For people."""
        lines = [f"{len(self.rounds)} rounds; medians; load of the machine before them {', '.join(f'{value:.1f}' for value in self.load)}"]
        one_caller = [("server, REST", "rest"), ("server, gRPC", "grpc"), ("gateway", "gateway")]
        lines += [f"  {name:<16}{self.middle(lambda one, key=key: getattr(one, key)):8.2f} ms  p50, one caller" for name, key in one_caller]
        capacity, p99 = self.middle(lambda one: one.capacity), self.middle(lambda one: one.p99)
        offered, accepted = self.middle(lambda one: one.offered), self.middle(lambda one: one.accepted)
        accepted_p99 = self.middle(lambda one: one.accepted_p99)
        lines.append(f"  at its capacity {capacity:8.0f} /s, p99 {p99:.1f} ms ({self.limits})")
        lines.append(f"  overload        {offered:8.0f} /s offered, {accepted:.0f} /s accepted, p99 {accepted_p99:.1f} ms")
        return "\n".join([*lines, *(f"  {claim}: {_SAYS[holds]} ({figures})" for claim, holds, figures in self.verdicts())])
