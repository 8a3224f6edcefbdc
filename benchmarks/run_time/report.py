"""What the measured seconds say: medians and ratios, as values and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

EXAMPLE, OURS, AGAIN = "TFX's own taxi example", "sluiceway run taxi", "sluiceway run taxi, nothing new"


@dataclass(frozen=True)
class Report:
    """Seconds of every run by what was run, on how many rows, and how busy the machine was before each round."""

    rows: int
    seconds: Mapping[str, Sequence[float]]
    load: Sequence[float]
    """One-minute load average before each round; well above 0 means that something else ran too."""

    def medians(self) -> dict[str, float]:
        """The median of each, in seconds."""
        return {name: median(values) for name, values in self.seconds.items()}

    def ratio(self) -> float:
        """Median of ours over median of TFX's example: below 1 is faster than TFX."""
        medians = self.medians()
        return medians[OURS] / medians[EXAMPLE]

    def as_json(self) -> dict[str, object]:
        """The same as plain values."""
        return {
            "rows": self.rows,
            "seconds": {name: [round(value, 2) for value in values] for name, values in self.seconds.items()},
            "medians": {name: round(value, 2) for name, value in self.medians().items()},
            "ratio": round(self.ratio(), 3),
            "load": [round(value, 2) for value in self.load],
        }

    def as_text(self) -> str:
        """A table for people."""
        lines = [f"{self.rows:,} rows, wall seconds from a new process to its end", ""]
        for name, value in self.medians().items():
            runs = "  ".join(f"{seconds:.1f}" for seconds in self.seconds[name])
            lines.append(f"  {name:<32} {value:7.1f}   ({runs})")
        load = ", ".join(f"{value:.1f}" for value in self.load)
        return "\n".join([*lines, "", f"  ours / TFX  {self.ratio():.2f}", f"  load before each round: {load}"])
