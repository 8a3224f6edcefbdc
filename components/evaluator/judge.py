"""The metric gate: what TFMA measured against the thresholds, told as reasons with their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.verdict import Reason, Verdict

GATE = "evaluator"
# The slice that is all rows.
OVERALL = ""


@dataclass(frozen=True)
class Failure:
    """A threshold that was not kept. ``kind``: ``at least``, ``at most``, ``change`` (against the champion) or ``missing``."""

    slice: str
    metric: str
    measured: float | None
    limit: float | None
    kind: str


def judge(failures: Sequence[Failure], examples: Mapping[str, float], min_examples: int) -> Verdict:
    """Accept or refuse a candidate by its evaluation.

    Args:
        failures: every threshold that was not kept.
        examples: how many rows each slice was measured on; ``OVERALL`` is all of them.
        min_examples: a slice with fewer says too little to refuse for; one whose size is not known is judged.
    """
    if not examples.get(OVERALL):
        return Verdict(GATE, (Reason("no_examples", "the evaluation split has no rows, so nothing was measured", 0, 1),))
    judged = [failure for failure in failures if failure.slice == OVERALL or examples.get(failure.slice, min_examples) >= min_examples]
    judged.sort(key=lambda failure: (failure.slice != OVERALL, failure.slice, failure.metric, failure.kind))
    return Verdict(GATE, tuple(dict.fromkeys(_reason(failure) for failure in judged)))


def _reason(failure: Failure) -> Reason:
    where = f" for {failure.slice}" if failure.slice else ""
    if failure.kind == "missing" or failure.measured is None or failure.limit is None:
        return Reason("not_measured", f"{failure.metric or 'metrics'}{where} could not be measured", failure.measured, failure.limit)
    if failure.kind == "change":
        message = f"{failure.metric} changed by {failure.measured:+.4f} against the champion{where}; allowed {failure.limit:+.4f}"
        return Reason("worse_than_champion", message, failure.measured, failure.limit)
    sign = "<" if failure.kind == "at least" else ">"
    message = f"{failure.metric} {failure.measured:.4f} {sign} {failure.limit:g}{where}"
    return Reason("threshold", message, failure.measured, failure.limit)
