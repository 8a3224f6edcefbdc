"""The report for people: requests a second, latencies, what failed, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.serve.report import Cell, Report

SAYS = {True: "yes", False: "NO", None: "cannot tell"}


def text(report: Report) -> str:
    """All of it."""
    parts = [
        "requests a second, the model's calls a second in process (limit), ours / best other, ours / limit",
        _table(report, lambda cell: f"{cell.rate:,.0f}" + ("!" if cell.failed else ""), ratios=True),
        "milliseconds, p50 / p99",
        _table(report, lambda cell: f"{cell.p50:.1f} / {cell.p99:.1f}", ratios=False),
        *_failed(report),
        "\n".join(f"  {report.titles[name]:<11} {setup}" for name, setup in report.setups.items()),
        f"  load before each round: {', '.join(f'{load:.1f}' for load in report.load)}",
        "\n".join(f"{claim}: {SAYS[holds]} ({why})" for claim, holds, why in report.verdicts()),
    ]
    return "\n\n".join(parts)


def _table(report: Report, show: Callable[[Cell], str], *, ratios: bool) -> str:
    head = ["model", "", "clients", *report.titles.values()]
    lines = [head + (["limit", "/ best", "/ limit"] if ratios else [])]
    for row in report.samples:
        cells = report.cells(row)
        line = [row.model, row.transport, str(row.clients), *(show(cells[name]) if name in cells else "-" for name in report.titles)]
        if ratios:
            limit = report.limits.get(row.model)
            line += [f"{median(limit):,.0f}" if limit else "-", _times(report.ratio(row)), _times(report.of_limit(row))]
        lines.append(line)
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first two to the left, the others, which are numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _failed(report: Report) -> list[str]:
    """Rows with requests that failed, and products that were not measured; nothing when all went well."""
    lines = [
        f"  ! {row}: {cell.failed:,} of {cell.requests:,} requests to {report.titles[name]} failed"
        for row in report.samples
        for name, cell in report.cells(row).items()
        if cell.failed
    ]
    lines += [f"  - {what}: {reason}" for what, reason in report.failures.items()]
    return ["\n".join(lines)] if lines else []
