"""What the measured samples say: medians, ratios and verdicts, as values and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.serve.sample import Sample

SMALL = ("half_plus_two", "taxi")
"""Models whose calls are so short that the server is what is measured."""
GOAL = 3.0


@dataclass(frozen=True, order=True)
class Row:
    """One kind of load."""

    model: str
    transport: str
    clients: int

    def __str__(self) -> str:
        return f"{self.model} {self.transport} {self.clients}"


@dataclass(frozen=True)
class Cell:
    """A product in a row: medians of its samples, sums of its requests."""

    rate: float
    p50: float
    p99: float
    requests: int
    failed: int
    rates: tuple[float, ...]


def summed(samples: Sequence[Sample]) -> Cell:
    """The samples of all rounds as one."""
    return Cell(
        rate=median(sample.rate for sample in samples),
        p50=median(sample.p50 for sample in samples),
        p99=median(sample.p99 for sample in samples),
        requests=sum(sample.requests for sample in samples),
        failed=sum(sample.failed for sample in samples),
        rates=tuple(sample.rate for sample in samples),
    )


@dataclass(frozen=True)
class Report:
    """Everything that one run of the benchmark found out."""

    ours: str
    titles: Mapping[str, str]
    """Products that were asked for: name to title, in the order of the table."""
    setups: Mapping[str, str]
    samples: Mapping[Row, Mapping[str, Sequence[Sample]]]
    limits: Mapping[str, Sequence[float]]
    """Calls a second in process, by model, of each round."""
    failures: Mapping[str, str]
    """Why a product, or a product with a model, was not measured."""
    load: Sequence[float]
    """One-minute load average before each round."""

    def cells(self, row: Row) -> dict[str, Cell]:
        """The products of a row that were measured."""
        return {name: summed(samples) for name, samples in self.samples[row].items() if samples}

    def best_other(self, row: Row) -> tuple[str, float] | None:
        """The fastest product that is not ours and its rate; None when there is none."""
        others = {name: cell.rate for name, cell in self.cells(row).items() if name != self.ours}
        return max(others.items(), key=lambda item: item[1]) if others else None

    def ratio(self, row: Row) -> float | None:
        """Ours over the best other; None when either is missing."""
        cell, best = self.cells(row).get(self.ours), self.best_other(row)
        return cell.rate / best[1] if cell and best and best[1] > 0 else None

    def of_limit(self, row: Row) -> float | None:
        """Ours over what the model does in process; None when either is missing."""
        cell, limit = self.cells(row).get(self.ours), self.limits.get(row.model)
        return cell.rate / median(limit) if cell and limit else None

    def verdicts(self) -> list[tuple[str, bool | None, str]]:
        """Claim, whether it holds (None: cannot be told) and why."""
        small = [row for row in self.samples if row.model in SMALL and row.transport == "REST" and row.clients == 16]
        claims = [(f"small models, REST, 16 clients: >= {GOAL:g}x the best other", small, GOAL)]
        claims.append(("no row slower than the best other", list(self.samples), 1.0))
        return [(claim, *self._holds(rows, least)) for claim, rows, least in claims]

    def _holds(self, rows: Sequence[Row], least: float) -> tuple[bool | None, str]:
        ratios = {row: ratio for row in rows if (ratio := self.ratio(row)) is not None}
        if not ratios:
            return None, "no row with ours and another"
        short = {row: ratio for row, ratio in ratios.items() if ratio < least}
        shown = short or ratios if len(ratios) < 4 else short or {min(ratios, key=lambda row: ratios[row]): min(ratios.values())}
        why = ", ".join(f"{row} {ratio:.2f}x" for row, ratio in shown.items())
        if self.failures and not short:
            # The one that is missing may be the fastest: such a run can refute a claim, not confirm it.
            return None, f"{why}; without {', '.join(self.failures)}"
        return not short, why

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "setups": dict(self.setups),
            "rows": [self._row_json(row) for row in self.samples],
            "limits": {name: [round(rate, 1) for rate in rates] for name, rates in self.limits.items()},
            "failures": dict(self.failures),
            "load": [round(load, 2) for load in self.load],
            "verdicts": [{"claim": claim, "holds": holds, "why": why} for claim, holds, why in self.verdicts()],
        }

    def _row_json(self, row: Row) -> dict[str, Any]:
        best, ratio, of_limit = self.best_other(row), self.ratio(row), self.of_limit(row)
        return {
            "model": row.model,
            "transport": row.transport,
            "clients": row.clients,
            "best_other": best[0] if best else None,
            "ratio": None if ratio is None else round(ratio, 3),
            "of_limit": None if of_limit is None else round(of_limit, 3),
            "products": {
                name: {
                    "rate": round(cell.rate, 1),
                    "p50_ms": round(cell.p50, 3),
                    "p99_ms": round(cell.p99, 3),
                    "requests": cell.requests,
                    "failed": cell.failed,
                    "rates": [round(rate, 1) for rate in cell.rates],
                }
                for name, cell in self.cells(row).items()
            },
        }
