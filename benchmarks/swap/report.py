"""What requests noticed of the swaps, how soon versions answered, and whether that is what we claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.swap.plan import STEADY, SWAPS, TRANSPORTS

MOST_RATIO = 2.0
SLACK = 0.5
"""Seconds that a version may take beyond a poll interval and its load."""
SAYS = {True: "yes", False: "NO"}


@dataclass(frozen=True)
class Asked:
    """One request: when it was due, how many seconds after that it was sent and answered, and what went wrong (None: nothing)."""

    transport: str
    due: float
    late: float
    latency: float
    error: str | None = None


@dataclass(frozen=True)
class Swap:
    """One published version. ``took`` is None when it never became available; ``load`` is what its load took of that, in seconds."""

    version: int
    took: float | None
    load: float = 0.0

    def late_by(self, poll: float) -> float | None:
        """Seconds beyond what a poll interval and the load explain; None: never available."""
        return None if self.took is None else self.took - poll - self.load


@dataclass(frozen=True)
class Measured:
    """One model: its requests by phase, its swaps, the part of a core that the load generator used, and how busy the machine was."""

    model: str
    requests: Mapping[str, Sequence[Asked]]
    swaps: Sequence[Swap]
    poll: float
    generator: float
    load: float

    def chosen(self, phase: str, transport: str) -> list[Asked]:
        """The requests of one phase over one transport."""
        return [one for one in self.requests[phase] if one.transport == transport]

    def milliseconds(self, phase: str, transport: str, part: float) -> float:
        """A quantile of the latency."""
        return quantile([one.latency for one in self.chosen(phase, transport)], part) * 1e3

    def ratio(self, transport: str) -> float:
        """p99 during swaps over p99 without."""
        return self.milliseconds(SWAPS, transport, 0.99) / self.milliseconds(STEADY, transport, 0.99)

    def failed(self) -> list[Asked]:
        """Requests without a right answer, in either phase."""
        return [one for phase in (STEADY, SWAPS) for one in self.requests[phase] if one.error is not None]

    def late(self) -> float:
        """p99 of how late requests were sent, milliseconds: what of the latencies is the load generator's own."""
        return quantile([one.late for phase in (STEADY, SWAPS) for one in self.requests[phase]], 0.99) * 1e3

    def verdicts(self) -> list[tuple[str, bool, str]]:
        """(claim, does it hold, why)."""
        failed, ratios = self.failed(), {transport: self.ratio(transport) for transport in TRANSPORTS}
        behind = [swap for swap in self.swaps if (late := swap.late_by(self.poll)) is None or late > SLACK]
        total = sum(len(self.requests[phase]) for phase in (STEADY, SWAPS))
        return [
            ("no request fails", not failed, f"{len(failed)} of {total:,}" + (f"; the first: {failed[0].error}" if failed else "")),
            (
                f"p99 during swaps is at most {MOST_RATIO:g}x p99 without",
                max(ratios.values()) <= MOST_RATIO,
                ", ".join(f"{transport} {ratio:.2f}x" for transport, ratio in ratios.items()),
            ),
            (
                f"a version answers within poll interval + load + {SLACK:g} s",
                not behind,
                ", ".join(_told(swap, self.poll) for swap in behind)
                or f"{len(self.swaps)} swaps, at most {max(swap.late_by(self.poll) or 0 for swap in self.swaps):+.2f} s",
            ),
        ]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "model": self.model,
            "transports": {transport: self._latencies(transport) for transport in TRANSPORTS},
            "swaps": [{"version": swap.version, "took_s": _rounded(swap.took), "load_s": swap.load} for swap in self.swaps],
            "poll_s": self.poll,
            "generator": {"cores": round(self.generator, 3), "late_p99_ms": round(self.late(), 3)},
            "load": round(self.load, 2),
            "verdicts": [{"claim": claim, "holds": holds, "why": why} for claim, holds, why in self.verdicts()],
        }

    def _latencies(self, transport: str) -> dict[str, Any]:
        phases = {
            phase: {
                "requests": len(self.chosen(phase, transport)),
                "p50_ms": round(self.milliseconds(phase, transport, 0.5), 3),
                "p99_ms": round(self.milliseconds(phase, transport, 0.99), 3),
                "max_ms": round(self.milliseconds(phase, transport, 1.0), 3),
            }
            for phase in (STEADY, SWAPS)
        }
        return {**phases, "ratio": round(self.ratio(transport), 3)}

    def as_text(self) -> str:
        """For people."""
        lines = [f"{self.model}: milliseconds from when a request was due to its answer", f"{'':>14}{'p50':>9}{'p99':>9}{'max':>9}"]
        for transport in TRANSPORTS:
            for phase in (STEADY, SWAPS):
                values = "".join(f"{self.milliseconds(phase, transport, part):9.2f}" for part in (0.5, 0.99, 1.0))
                lines.append(f"  {transport:<5} {phase:<6}{values}")
        took = [swap.took for swap in self.swaps if swap.took is not None]
        if took:
            load = quantile([swap.load for swap in self.swaps if swap.took is not None], 0.5)
            lines.append(f"  published to available: {_range(took)} s, of that {load:.2f} s load (median); poll interval {self.poll:g} s")
        lines.append(f"  load generator: {self.generator:.0%} of a core, requests sent late by {self.late():.2f} ms (p99)")
        lines.append(f"  load of the machine before: {self.load:.1f}")
        return "\n".join([*lines, *(f"  {claim}: {SAYS[holds]} ({why})" for claim, holds, why in self.verdicts())])


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least this part of all are not above; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)] if ordered else 0.0


def by_phase(asked: Sequence[Asked], phase: Callable[[float], str | None]) -> dict[str, list[Asked]]:
    """Requests by the phase in which they were due; those of none are left out."""
    found: dict[str, list[Asked]] = {STEADY: [], SWAPS: []}
    for one in asked:
        if (name := phase(one.due)) is not None:
            found[name].append(one)
    return found


def _told(swap: Swap, poll: float) -> str:
    if swap.took is None:
        return f"version {swap.version} never"
    return f"version {swap.version} after {swap.took:.2f} s (poll {poll:g} + load {swap.load:.2f})"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
