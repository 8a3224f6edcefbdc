"""The infra gate: what was seen of a served candidate in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.infra_validator import checks
from components.infra_validator.checks import Answer
from serving.verdict import Reason, Verdict

GATE = "infra_validator"
# A broken model fails every request alike; a person reads the first few.
MOST_REASONS = 10


@dataclass(frozen=True)
class Observation:
    """What happened when a server was booted on the candidate. ``load_seconds`` is None where it did not load.

    ``log_tail``: the server's last lines, where the model was not available.
    """

    load_seconds: float | None
    load_error: str | None
    answers: Sequence[Answer]
    golden_requests: int
    log_tail: str = ""


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


def on_every(verdicts: Mapping[str, Verdict]) -> Verdict:
    """One verdict of those on each server, by the server's name: what is refused on one is refused. With several, a reason says where."""
    if len(verdicts) == 1:
        return next(iter(verdicts.values()))
    total = sum(len(verdict.reasons) for verdict in verdicts.values())
    most = MOST_REASONS if total <= MOST_REASONS else max(1, MOST_REASONS // len(verdicts))
    return Verdict(
        GATE,
        tuple(
            replace(reason, message=f"on {name}: {reason.message}")
            for name, verdict in verdicts.items()
            for reason in verdict.reasons[:most]
        ),
    )


def figures_of(seen: Mapping[str, Observation]) -> dict[str, Any]:
    """What is kept beside the verdict: the longest load, all answers, and with several servers the load on each."""
    loads = [observation.load_seconds for observation in seen.values()]
    figures: dict[str, Any] = {
        "load_seconds": None if None in loads else max(seconds for seconds in loads if seconds is not None),
        "answers": sum(len(observation.answers) for observation in seen.values()),
    }
    if len(seen) > 1:
        figures["servers"] = {name: observation.load_seconds for name, observation in seen.items()}
    return figures
