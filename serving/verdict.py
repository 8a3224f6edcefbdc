"""What a gate said of a candidate: a value, accepted or refused, with reasons that carry their numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Reason:
    """One reason for a refusal.

    ``code`` is stable and machine readable; ``message`` is for people; ``measured`` and ``limit`` are the numbers (or texts)
    that were compared, where there are any.
    """

    code: str
    message: str
    measured: float | str | None = None
    limit: float | str | None = None


@dataclass(frozen=True)
class Verdict:
    """Accepted when there are no reasons against it. That a gate could not find out is never a verdict: it raises."""

    gate: str
    reasons: tuple[Reason, ...] = ()

    @property
    def accepted(self) -> bool:
        """True when nothing speaks against the candidate."""
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        """Plain values for a report, a ledger line or a file."""
        return {"gate": self.gate, "accepted": self.accepted, "reasons": [_finite(asdict(reason)) for reason in self.reasons]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Verdict:
        """The inverse of :meth:`as_json`."""
        reasons: Sequence[Mapping[str, Any]] = content["reasons"]
        return cls(gate=content["gate"], reasons=tuple(Reason(**reason) for reason in reasons))


def _finite(reason: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as texts: JSON has no numbers for them."""
    return {key: str(value) if isinstance(value, float) and not math.isfinite(value) else value for key, value in reason.items()}
