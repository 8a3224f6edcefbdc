"""What several workers say, as one answer of the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from serving.protocol.status import Code, State, VersionStatus


def statuses(answers: Sequence[Sequence[VersionStatus]]) -> list[VersionStatus]:
    """One status for each version, highest first: AVAILABLE only when it is in every worker."""
    numbers = sorted({status.version for answer in answers for status in answer}, reverse=True)
    return [_one(number, [_of(number, answer) for answer in answers]) for number in numbers]


def _of(number: int, answer: Iterable[VersionStatus]) -> VersionStatus:
    """A worker that has not come to a version yet is at its start."""
    return next((status for status in answer if status.version == number), VersionStatus(number, State.START))


def _one(number: int, found: Sequence[VersionStatus]) -> VersionStatus:
    failed = next((status for status in found if status.code is not Code.OK), None)
    if failed is not None:
        return failed
    states = {status.state for status in found}
    if len(states) == 1:
        return found[0]
    coming = states & {State.UNKNOWN, State.START, State.LOADING}
    return VersionStatus(number, max(coming) if coming else State.UNLOADING)
