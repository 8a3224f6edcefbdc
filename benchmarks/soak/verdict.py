"""Whether a curve of resident memory is flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Sample:
    """The server's resident memory in bytes, after so many requests and swaps since the warm-up."""

    requests: int
    swaps: int
    memory: int


@dataclass(frozen=True)
class Verdict:
    """``growth``: by which share the last samples are above the first; ``per_request``: in bytes."""

    flat: bool
    growth: float
    per_request: float


_ENDS = 3


def judge(samples: Sequence[Sample], limit: float) -> Verdict:
    """Compare the median of the last three samples with that of the first three; flat is a growth of at most ``limit``, a share.

    A leak grows with what is done; what an allocator keeps for later comes and goes, and a median of three does not see it.
    """
    if len(samples) < 2 * _ENDS:
        raise ValueError(f"{len(samples)} samples are no curve: at least {2 * _ENDS}")
    first, last = (median(sample.memory for sample in end) for end in (samples[:_ENDS], samples[-_ENDS:]))
    between = median(sample.requests for sample in samples[-_ENDS:]) - median(sample.requests for sample in samples[:_ENDS])
    growth = last / first - 1
    return Verdict(growth <= limit, growth, (last - first) / between if between else 0.0)
