"""The infra gate: what was seen of a served candidate in, a verdict out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.infra_validator import checks
from components.infra_validator.checks import Answer
from serving.verdict import Reason, Verdict

GATE = "infra_validator"
# A broken model fails every request alike; a person reads the first few.
MOST_REASONS = 10


@dataclass(frozen=True)
class Observation:
    """What happened when a server was booted on the candidate. ``load_seconds`` is None where it did not load."""

    load_seconds: float | None
    load_error: str | None
    answers: Sequence[Answer]
    golden_requests: int


@dataclass(frozen=True)
class Limits:
    """What the candidate must keep: seconds until AVAILABLE, and the largest difference of an answer."""

    load_seconds: float
    tolerance: float


def validate(seen: Observation, limits: Limits) -> Verdict:
    """Accept or refuse a candidate by what was seen of it."""
    reasons: list[Reason] = [*checks.loads(seen.load_error), *checks.loads_in_time(seen.load_seconds, limits.load_seconds)]
    reasons += checks.has_golden(seen.golden_requests)
    for answer in seen.answers:
        reasons += checks.answers(answer) or checks.finite(answer.request) or checks.agrees(answer, limits.tolerance)
    unique = tuple(dict.fromkeys(reasons))
    return Verdict(GATE, unique[:MOST_REASONS])
